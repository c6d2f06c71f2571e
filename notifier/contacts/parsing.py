"""Check whether the contact in a webhook or domain event can be mailed."""

from typing import NamedTuple

from stream.events import CustomerPayload, OrderPayload, email_address


class Contact(NamedTuple):
    """An address in canonical form, or the reason why there is none.

    Both are None when no contact was given. `problem` never repeats the text that was given.
    """

    address: str | None
    problem: str | None


def parse(text: str | None, field: str) -> Contact:
    """Return the contact for `text`. `field` is its name in the webhook, for `problem`."""
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


def of(payload: CustomerPayload) -> Contact:
    return parse(payload.email, "email")
