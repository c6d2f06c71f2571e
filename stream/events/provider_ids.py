"""Finds the ids that a provider gave a webhook, which people search by: `eventId`, `imp_uid`, `aid`, `evt_…`.

They are read from the original bytes, so that they are found in records of any age, even those that were quarantined as
unreadable. The shop's own ids (orders, customers) are not included.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from stream.events import QuarantinedWebhook, Record, Webhook

HEADERS = ("idempotency-key", "webhook-id", "tosspayments-webhook-transmission-id")
FIELDS = frozenset(
    "id eventId event_id object_id imp_uid aid tid no_tid P_TID pg_tid pgTxId fid invoiceId billingKey "
    "paymentKey transactionKey lastTransactionKey transactionId transaction_id tx_id txId "
    "payment_intent charge latest_charge cancellationId cancellation_id refundId refund_id".split()
)
NESTED = ("data", "object", "msg", "result", "response", "transaction", "tracking_status", "cancels", "cancel_history")
"""Fields whose values, objects or arrays of objects, contain ids too."""
MAX_SEARCHED_DEPTH = 4
MAX_IDS = 50
"""The most ids returned for a record, and the most array items and form parameters that are read."""
MAX_LENGTH = 200
"""The longest id in characters; longer ones are ignored."""
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_FORM = re.compile(rb"[\x21-\x7e]+=[\x21-\x7e]*")


def of(record: Record) -> tuple[str, ...]:
    """Return at most MAX_IDS ids that the provider gave a webhook or quarantined webhook; empty for other records."""
    match record:
        case Webhook():
            envelope = record.envelope
            event_id = (envelope.provider_event_id,) if envelope.provider_event_id else ()
            return _distinct((*event_id, *find(envelope.raw, envelope.headers)))
        case QuarantinedWebhook():
            return find(record.raw, record.headers)
        case _:
            return ()


def find(raw: bytes, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return at most MAX_IDS distinct ids: those in HEADERS, then those in a JSON or form body (any other has none)."""
    return _distinct(
        (*(headers[name] for name in HEADERS if name in headers), *_nested(_parsed(raw), MAX_SEARCHED_DEPTH))
    )


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return _form(raw.decode("ascii")) if _FORM.fullmatch(raw) else None


def _form(text: str) -> dict[str, str]:
    """Decode form parameters as UTF-8; ids need no other encoding."""
    pairs = (pair.partition("=") for pair in text.split("&")[:MAX_IDS])
    return {name: unescaped(value) for name, _, value in pairs}


def unescaped(value: str) -> str:
    """Return a form parameter with `%…` escapes and plus signs decoded; bytes that are not UTF-8 become U+FFFD."""
    octets = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), value.replace("+", " ").encode())
    return octets.decode(errors="replace")


def _nested(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, list):
        for item in value[:MAX_IDS]:
            yield from _nested(item, depth - 1)
    if not isinstance(value, dict) or not depth:
        return
    for name, field in value.items():
        if name in FIELDS and isinstance(field, str | int) and not isinstance(field, bool):
            yield str(field)[: MAX_LENGTH + 1]
    for name in NESTED:
        yield from _nested(value.get(name), depth - 1)


def _distinct(ids: Iterable[str]) -> tuple[str, ...]:
    valid = (name for name in ids if 0 < len(name) <= MAX_LENGTH and name.isprintable())
    return tuple(dict.fromkeys(valid))[:MAX_IDS]
