"""The ids that a provider itself gave a webhook, by which people look for it: `eventId`, `imp_uid`, `aid`, `evt_…`.

They are read from the bytes as they came, so that they are found in records of any age, and in those nobody could read.
The shop's own ids (orders, customers) are not among them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stream.events import QuarantinedWebhook, Record, Webhook

HEADERS = ("idempotency-key", "webhook-id", "tosspayments-webhook-transmission-id")
FIELDS = frozenset(
    "id eventId event_id object_id imp_uid aid tid no_tid P_TID pg_tid pgTxId fid invoiceId billingKey "
    "paymentKey transactionKey lastTransactionKey transactionId transaction_id tx_id txId "
    "payment_intent charge latest_charge cancellationId cancellation_id refundId refund_id".split()
)
INSIDE = ("data", "object", "msg", "result", "response", "transaction", "tracking_status", "cancels", "cancel_history")
"""Objects of a body, below its top level, in which providers put their ids."""
DEEPEST = 4
MOST = 50
LONGEST = 200
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_FORM = re.compile(rb"[\x21-\x7e]+=[\x21-\x7e]*")


def of(record: Record) -> tuple[str, ...]:
    """The ids of a webhook's record; none for other records."""
    match record:
        case Webhook():
            envelope = record.envelope
            given = (envelope.provider_event_id,) if envelope.provider_event_id else ()
            return _distinct((*given, *found(envelope.raw, envelope.headers)))
        case QuarantinedWebhook():
            return found(record.raw, record.headers)
        case _:
            return ()


def found(raw: bytes, headers: Mapping[str, str]) -> tuple[str, ...]:
    """The ids in a body and in the headers that were kept with it; none where nobody can read it."""
    return _distinct((*(headers[name] for name in HEADERS if name in headers), *_inside(_parsed(raw), DEEPEST)))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return _form(raw.decode("ascii")) if _FORM.fullmatch(raw) else None


def _form(text: str) -> dict[str, str]:
    """The parameters whose values need no encoding beyond UTF-8; ids are such."""
    pairs = (pair.partition("=") for pair in text.split("&")[:MOST])
    return {name: _unescaped(value) for name, _, value in pairs}


def _unescaped(value: str) -> str:
    octets = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), value.replace("+", " ").encode())
    return octets.decode(errors="replace")


def _inside(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, list):
        for item in value[:MOST]:
            yield from _inside(item, depth - 1)
    if not isinstance(value, dict) or not depth:
        return
    for name, given in value.items():
        if name in FIELDS and isinstance(given, str | int) and not isinstance(given, bool):
            yield str(given)[: LONGEST + 1]
    for name in INSIDE:
        yield from _inside(value.get(name), depth - 1)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    fit = (name for name in names if 0 < len(name) <= LONGEST and name.isprintable())
    return tuple(dict.fromkeys(fit))[:MOST]
