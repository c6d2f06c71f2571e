"""Reads the fields that all of Stripe's events have: time, mode, and the shop's order."""

from typing import TypeVar

from providers.parsing.timestamps import instant
from providers.stripe.objects import Metadata, StripeEvent, StripeObject
from stream.events import Micros, Mode, OrderId

T = TypeVar("T")


def order_id(source: StripeObject) -> OrderId | None:
    """Return the shop's order id, from the metadata or else from `client_reference_id`; None without one."""
    metadata = source.metadata or Metadata()
    return metadata.order_id or metadata.orderId or source.client_reference_id


def event_time(event: StripeEvent[T]) -> Micros | None:
    """Return the time of the event in microseconds since 1970 UTC; None if it has no readable one."""
    return instant(event.created, "created")


def event_mode(event: StripeEvent[T]) -> Mode | None:
    """Return the mode of the event, or None if it has no `livemode`."""
    return None if event.livemode is None else "live" if event.livemode else "test"
