"""Signs webhooks as their providers do, for the simulator, the benchmarks and the tests.

The product only verifies: nothing that receives webhooks can make one. Signatures are written here a second time, so
that a mistake in a provider's `verify` is not signed by the same mistake. Each function returns the headers that the
provider sends with a body at a time, in microseconds since 1970 UTC.
"""

import base64
import hmac
import json
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from providers.contract import Provider
from providers.contract_e import webhook as contract_e_webhook
from providers.signing import standard_webhooks

Headers = dict[str, str]
KOREA = timezone(timedelta(hours=9))
FORM = "application/x-www-form-urlencoded"
TOSS_SIGNED = ("payout.changed", "seller.changed")
"""Toss signs events of these types and no others."""


def sign(provider: Provider, body: bytes, secret: bytes, at: int = 0) -> Headers:
    """Return the headers that a provider adds to a body at a time: its signature if it signs, a form's Content-Type.

    Empty if there is neither. The default of `at` is 1970: where the time is signed, such a signature is stale.
    """
    signer = contract_e if provider.verify is contract_e_webhook.verify else SIGNERS[provider.name]
    return signer(body, secret, at)


def generic(body: bytes, secret: bytes, _at: int = 0) -> Headers:
    return {"X-Webhook-Signature": _hex(body, secret)}


def contract_e(body: bytes, secret: bytes, _at: int = 0) -> Headers:
    return {"X-PG-Signature": _hex(body, secret)}


def tapayz(body: bytes, secret: bytes, _at: int = 0) -> Headers:
    return {"X-Signature": _hex(body, secret)}


def tosspayments(body: bytes, secret: bytes, _at: int = 0) -> Headers:
    return {"X-Tosspayments-Signature": _hex(body, secret)}


def aftership(body: bytes, secret: bytes, _at: int = 0) -> Headers:
    return {"aftership-hmac-sha256": _base64(body, secret)}


def easypost(body: bytes, secret: bytes, _at: int = 0) -> Headers:
    key = unicodedata.normalize("NFKD", secret.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return {"X-Hmac-Signature": f"hmac-sha256-hex={_hex(body, key)}"}


def stripe(body: bytes, secret: bytes, at: int) -> Headers:
    return {"Stripe-Signature": _timed(body, secret, at)}


def shippo(body: bytes, secret: bytes, at: int) -> Headers:
    return {"Shippo-Auth-Signature": _timed(body, secret, at)}


def toss(body: bytes, secret: bytes, at: int = 0) -> Headers:
    """Toss writes the time in Korean time, and uses a key of hex digits as the bytes that they stand for."""
    time = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(KOREA).isoformat(timespec="seconds")
    headers = {
        "TossPayments-Webhook-Transmission-Time": time,
        "TossPayments-Webhook-Transmission-Retried-Count": "0",
        "TossPayments-Webhook-Transmission-Id": f"whtrans_{sha256(body).hexdigest()[:29]}",
    }
    if _event_type(body) in TOSS_SIGNED:
        signature = _base64(body + b":" + time.encode(), _from_hex(secret))
        headers["TossPayments-Webhook-Signature"] = f"v1:{signature}"
    return headers


def portone_v1(body: bytes, _secret: bytes, _at: int = 0) -> Headers:
    return _content_type(body, FORM)


def portone_v2(body: bytes, secret: bytes, at: int = 0) -> Headers:
    return _content_type(body, FORM) | standard_webhooks.sign(body, secret, at, f"msg_{sha256(body).hexdigest()[:24]}")


def inicis(body: bytes, _secret: bytes, _at: int = 0) -> Headers:
    return _content_type(body, f"{FORM}; charset=euc-kr")


def by_token(_body: bytes, _secret: bytes, _at: int = 0) -> Headers:
    """Return no headers, since the secret is in the URL."""
    return {}


SIGNERS: Mapping[str, Callable[[bytes, bytes, int], Headers]] = {
    "generic": generic,
    "shop": generic,
    "toss": toss,
    "stripe": stripe,
    "tapayz": tapayz,
    "easypost": easypost,
    "aftership": aftership,
    "shippo": shippo,
    "delivery_tracker": by_token,
    "sweettracker": by_token,
    "tosspayments": tosspayments,
    "portone_v1": portone_v1,
    "portone_v2": portone_v2,
    "inicis": inicis,
}
"""By the provider's name; contract E, which has rows of the same names, signs by `contract_e`."""


def _hex(payload: bytes, key: bytes) -> str:
    return hmac.digest(key, payload, "sha256").hex()


def _base64(payload: bytes, key: bytes) -> str:
    return base64.b64encode(hmac.digest(key, payload, "sha256")).decode()


def _timed(body: bytes, secret: bytes, at: int) -> str:
    time = str(at // 1_000_000)
    return f"t={time},v1={_hex(time.encode() + b'.' + body, secret)}"


def _from_hex(secret: bytes) -> bytes:
    try:
        return bytes.fromhex(secret.decode("ascii"))
    except ValueError:
        return secret


def _content_type(body: bytes, form: str) -> Headers:
    """Return the Content-Type of a form; no header for JSON."""
    return {} if body.lstrip().startswith(b"{") else {"Content-Type": form}


def _event_type(body: bytes) -> object:
    try:
        return json.loads(body).get("eventType")
    except (ValueError, AttributeError, RecursionError):
        return None
