"""Webhooks as HTTP requests in bytes."""

from providers.generic import webhook as generic
from simulator import signing
from simulator.story import SimulatedWebhook


def signed(webhook: SimulatedWebhook, secret: bytes) -> bytes:
    """Return an HTTP/1.1 request, head and body, with the signature of contract A."""
    headers = {
        "Host": "localhost",
        "Content-Type": "application/json",
        **dict(webhook.headers),
        **signing.sign(generic.PROVIDER, webhook.body, secret, 0),
        "Content-Length": str(len(webhook.body)),
    }
    lines = [f"POST {webhook.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + webhook.body
