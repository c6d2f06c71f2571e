"""What the aggregators of carriers have in common: a parcel, where it is, and now and then whose order it holds."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from providers.contract import InvalidField, Unsupported
from providers.parsing import carriers
from providers.parsing.fields import OrderId, decode_hook
from stream.events import ShippingNotice, ShippingStatus
from stream.events.topics import parcel_number

Word = Annotated[str, msgspec.Meta(max_length=64)]
"""A word of a provider's vocabulary: an event, a status."""

PLACE_CHARS = 1000


def notice(
    *,
    carrier: str | None,
    number: str,
    status: ShippingStatus,
    order_id: str | None = None,
    reference: str | None = None,
    location: str | None = None,
    scanned_at: int | None = None,
) -> ShippingNotice:
    """A scan in our words. Where the provider has no other name for the shop's order, `carrier:number` is its name."""
    code = carriers.normalise(carrier)
    return ShippingNotice(
        order_id=order_id,
        reference=reference or f"{code or 'unknown'}:{parcel_number(number)}",
        status=status,
        carrier=carrier,
        carrier_code=code,
        tracking_number=number,
        location=location,
        scanned_at=scanned_at,
    )


def status(table: Mapping[str, ShippingStatus], word: str) -> ShippingStatus:
    """Our word for a provider's; raises Unsupported for one that says nothing of where the parcel is."""
    if word not in table:
        raise Unsupported(f"the status {word} moves no parcel")
    return table[word]


def place(*parts: str | None) -> str | None:
    """The parts of a place that are there, in one line."""
    return ", ".join(part.strip() for part in parts if part and part.strip())[:PLACE_CHARS] or None


def order_id(*candidates: Any) -> str | None:
    """The first of these that can be an order's id."""
    for candidate in candidates:
        try:
            return msgspec.convert(candidate, OrderId, dec_hook=decode_hook)
        except msgspec.ValidationError:
            continue
    return None


def detail(told: msgspec.Raw, field: str) -> bytes:
    """A part of the body that only some events are read for; raises Unreadable when it is missing."""
    if not bytes(told):
        raise InvalidField(f"{field} is missing")
    return bytes(told)
