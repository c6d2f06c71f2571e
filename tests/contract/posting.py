"""Posts as a provider does, and returns the answer byte for byte."""

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from providers.contract import Provider
from simulator import signing

TIMEOUT_S = 30.0


class Answer(NamedTuple):
    """An HTTP response; `json` parses its body."""

    status: int
    body: bytes
    content_type: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def post(url: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
    """Post a body (bytes as they are, else as JSON) to a path below `url`, with these headers and a Content-Type."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", path, written(body), {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.headers.get("content-type", ""))
    finally:
        connection.close()


def posted_by(provider: Provider, system: dict[str, str], path: str, body: Any, **headers: str) -> Answer:
    """Post a body to the system's gateway, signed by the provider with its secret in this system.

    `headers` replace those of the signature, with dashes for underscores.
    """
    secret = system[provider.secret_setting].encode()
    signed = signing.sign(provider, written(body), secret, 0)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return post(system["GATEWAY_URL"], path, body, {**signed, **given})


def written(body: Any) -> bytes:
    """Return bytes as they are, and any other body as JSON."""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
