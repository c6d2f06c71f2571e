"""Parses the addresses in webhooks and domain events: each in canonical form, or why it cannot be mailed."""

from typing import NamedTuple

from stream.events import CustomerPayload, OrderPayload
from stream.events.text import email_address


class Contact(NamedTuple):
    """An address in canonical form, or the reason why there is none.

    Both are None when no contact was given. `problem` never repeats the text that was given.
    """

    address: str | None
    problem: str | None


def parse(text: str | None, field: str) -> Contact:
    """Return the contact for an address as it was given. `field` is the name of its field, for `problem`."""
    if text is None:
        return Contact(None, None)
    try:
        return Contact(email_address.parse(text), None)
    except email_address.Unusable as error:
        return Contact(None, f"{field} is no address that can be mailed: {error}")


def customer_of(payload: OrderPayload) -> Contact:
    return parse(payload.customer_email, "customerEmail")


def seller_of(payload: OrderPayload) -> Contact:
    return parse(payload.seller_email, "sellerEmail")


def contact_of(payload: CustomerPayload) -> Contact:
    return parse(payload.email, "email")
