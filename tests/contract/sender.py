"""A provider as the gateway meets it: posts bytes to a path, signed in the provider's own way."""

import time
from dataclasses import dataclass
from typing import Any

from providers.contract import Provider
from tests.actors import Reply, Shop


@dataclass(frozen=True)
class Sender:
    """Posts to the gateway at `url`, signing with `secret` as `provider` does."""

    url: str
    provider: Provider
    secret: str

    def post(self, path: str, body: bytes, *, ago_s: float = 0, **headers: str) -> Reply:
        """Post these very bytes, signed so long ago; headers given here win (underscores are dashes)."""
        at = int((time.time() - ago_s) * 1_000_000)
        signed = self.provider.sign(body, self.secret.encode(), at)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(path, body, {**signed, **given})

    def send(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Post these very bytes with these headers and no signature of ours."""
        return Shop(self.url, self.secret).request("POST", path, body, {"Content-Type": "application/json", **headers})


def sender(system: dict[str, str], provider: Provider) -> Sender:
    return Sender(system["GATEWAY_URL"], provider, system[provider.secret_setting])


def of(reply: Reply) -> tuple[int, Any]:
    """What contracts say of an answer."""
    return reply.status, reply.body
