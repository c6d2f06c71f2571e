"""Requests as the gateway passes them to a provider: signed by the shop, unless a test changes that."""

import json
from collections.abc import Mapping
from typing import Any

from providers.contract import Received
from simulator import signing
from stream.events import Micros

SECRET = b"whsec"
NOW = Micros(1_700_000_000_000_000)


def posted(body: Any, *, path: str = "/webhooks/payment", secret: bytes = SECRET, **headers: str) -> Received:
    """Return a body (bytes as they are, else as JSON) as received at NOW with the shop's signature.

    `headers` replace those of the signature, with dashes for underscores.
    """
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    signed = {name.lower(): value for name, value in signing.generic(raw, secret).items()}
    return Received(path, {**signed, **{name.replace("_", "-"): value for name, value in headers.items()}}, raw, NOW)


def a_payment(**changes: Any) -> dict[str, Any]:
    return {"orderId": "1", "status": "completed", **changes}


def with_text(fields: Mapping[str, Any], more: bytes) -> bytes:
    """Return the fields as a JSON object, with the text `more` as it is before the closing brace."""
    return json.dumps(fields).encode()[:-1] + b"," + more + b"}"
