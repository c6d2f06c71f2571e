"""Builds shipping payloads from what carrier aggregators send: a parcel, its status and, sometimes, its order."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from providers.contract import InvalidField, Unsupported
from providers.parsing import carriers
from providers.parsing.fields import OrderId, decode_hook
from stream.events import Micros, ShippingPayload, ShippingStatus
from stream.events.record_keys import parcel_number

Word = Annotated[str, msgspec.Meta(max_length=64)]
"""An event type or a status of a provider."""

LOCATION_CHARS = 1000
"""Maximum characters of a location."""


def payload(
    *,
    carrier: str | None,
    number: str,
    status: ShippingStatus,
    order_id: OrderId | None = None,
    alias: str | None = None,
    location: str | None = None,
    scanned_at: Micros | None = None,
) -> ShippingPayload:
    """Return the payload for a scan.

    Without an `alias` of the provider, the parcel's alias is made of its carrier's code (or `unknown`) and its number:
    `cj:123456789012`.
    """
    code = carriers.normalise(carrier)
    return ShippingPayload(
        order_id=order_id,
        alias=alias or f"{code or 'unknown'}:{parcel_number(number)}",
        status=status,
        carrier=carrier,
        carrier_code=code,
        tracking_number=number,
        location=location,
        scanned_at=scanned_at,
    )


def status(table: Mapping[str, ShippingStatus], word: str) -> ShippingStatus:
    """Return our status for a provider's `word`. Raises Unsupported for a word that `table` does not list."""
    if word not in table:
        raise Unsupported(f"the status {word} does not change a parcel")
    return table[word]


def location(*parts: str | None) -> str | None:
    """Return the parts that are not blank, joined by commas and cut to LOCATION_CHARS; None if all are blank."""
    return ", ".join(part.strip() for part in parts if part and part.strip())[:LOCATION_CHARS] or None


def order_id(*candidates: object) -> OrderId | None:
    """Return the first candidate, of any JSON type, that is a valid id; None if none is."""
    for candidate in candidates:
        try:
            return msgspec.convert(candidate, OrderId, dec_hook=decode_hook)
        except msgspec.ValidationError:
            continue
    return None


def detail(raw: msgspec.Raw, field: str) -> bytes:
    """Return `raw`, the JSON of a field that only some events need, as bytes; a null is returned too.

    Raises InvalidField, which names `field`, if `raw` is empty because the body lacks the field.
    """
    if not bytes(raw):
        raise InvalidField(f"{field} is missing")
    return bytes(raw)
