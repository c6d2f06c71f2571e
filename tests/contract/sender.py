"""A provider that posts bytes to the gateway, signed in the provider's own way."""

import time
from dataclasses import dataclass
from typing import Any

from providers.contract import Provider
from simulator import signing
from tests.actors import Reply, Shop


@dataclass(frozen=True)
class Sender:
    """Posts to the gateway at `url`, signing with `secret` as `provider` does."""

    url: str
    provider: Provider
    secret: str

    def post(self, path: str, body: bytes, *, ago_s: float = 0, **headers: str) -> Reply:
        """Post `body` as it is, with a signature of `ago_s` seconds ago.

        `headers` replace those of the signature, with dashes for underscores.
        """
        at = int((time.time() - ago_s) * 1_000_000)
        signed = signing.sign(self.provider, body, self.secret.encode(), at)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(path, body, {**signed, **given})

    def send(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Post `body` as it is with these headers, without adding a signature."""
        return Shop(self.url, self.secret).request("POST", path, body, {"Content-Type": "application/json", **headers})


def sender(system: dict[str, str], provider: Provider) -> Sender:
    """Return the sender for a provider, with its secret in this system."""
    return Sender(system["GATEWAY_URL"], provider, system[provider.secret_setting])


def of(reply: Reply) -> tuple[int, Any]:
    """Return the parts of a response that contracts define: status and body."""
    return reply.status, reply.body
