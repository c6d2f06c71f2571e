"""Sends HTTP requests to hookstream's own listeners, never through HTTP_PROXY, which is not for loopback addresses."""

import http.client
import json
from dataclasses import dataclass

from runtime.confidential.urls import split
from runtime.json_value import JsonValue


class Unanswered(OSError):
    """The URL cannot be used, or its server does not answer with HTTP."""


@dataclass(frozen=True, slots=True)
class Response:
    """The status and the body of an HTTP response."""

    status: int
    body: bytes

    def json(self) -> JsonValue:
        """Return the decoded body. Raises ValueError if it is not JSON."""
        return json.loads(self.body)


def get(url: str, *, token: str | None = None, timeout_s: float) -> Response:
    """Send a GET, with `token` as its bearer token; return the response, whatever its status.

    Raises OSError if the connection fails or no data come for `timeout_s`, and its subclass Unanswered.
    """
    return _request("GET", url, None, token, timeout_s)


def post(url: str, body: bytes, *, token: str | None = None, timeout_s: float) -> Response:
    """Send `body` with a POST. Arguments, result and errors are otherwise those of `get`."""
    return _request("POST", url, body, token, timeout_s)


def _request(method: str, url: str, body: bytes | None, token: str | None, timeout_s: float) -> Response:
    try:
        address = split(url)
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
