"""A client of hookstream's own listeners. It ignores HTTP_PROXY, which must not be used for loopback addresses."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from runtime.json_value import JsonValue


class Unanswered(OSError):
    """The address cannot be used, or its answer was not HTTP."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP status and the body."""

    status: int
    body: bytes

    def json(self) -> JsonValue:
        """Return the decoded body. Raises ValueError when it is not JSON."""
        return json.loads(self.body)


def get(url: str, *, token: str | None = None, timeout_s: float) -> Response:
    """Send a GET, with `token` as its bearer token. Raises OSError when there is no answer within `timeout_s`."""
    return _request("GET", url, None, token, timeout_s)


def post(url: str, body: bytes, *, token: str | None = None, timeout_s: float) -> Response:
    """Send a POST, with `token` as its bearer token. Raises OSError when there is no answer within `timeout_s`."""
    return _request("POST", url, body, token, timeout_s)


def _request(method: str, url: str, body: bytes | None, token: str | None, timeout_s: float) -> Response:
    try:
        address = urlsplit(url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=timeout_s)
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            connection.request(method, target, body, {"Authorization": f"Bearer {token}"} if token else {})
            response = connection.getresponse()
            return Response(response.status, response.read())
        finally:
            connection.close()
    except (ValueError, http.client.HTTPException) as failure:
        raise Unanswered(str(failure) or type(failure).__name__) from failure
