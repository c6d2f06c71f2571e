"""Posts as a provider does, and hears the answer byte for byte."""

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from providers.contract import Provider

TIMEOUT_S = 30.0


class Heard(NamedTuple):
    status: int
    body: bytes
    content_type: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def post(url: str, path: str, body: Any, headers: dict[str, str]) -> Heard:
    """Post a body (bytes as they are, else as JSON) with these headers besides its Content-Type."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", path, written(body), {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        return Heard(response.status, response.read(), response.headers.get("content-type", ""))
    finally:
        connection.close()


def posted_by(provider: Provider, system: dict[str, str], path: str, body: Any, **headers: str) -> Heard:
    """As the provider signs it, with its secret of this system; headers given here win (underscores are dashes)."""
    secret = system[provider.secret_setting].encode()
    signed = provider.sign(written(body), secret, 0)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return post(system["GATEWAY_URL"], path, body, {**signed, **given})


def written(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
