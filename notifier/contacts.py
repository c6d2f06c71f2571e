"""Checks whether the contact of a webhook or a domain event can be mailed, and gives the reason if not."""

from typing import NamedTuple

from stream.events import CustomerNotice, OrderNotice, email_address


class Contact(NamedTuple):
    """`address` is what a mail is sent to, in its one form; `problem` is why there is none, without the text given."""

    address: str | None
    problem: str | None


def judge(given: str | None, field: str) -> Contact:
    """Return the contact for the text in `field`; neither an address nor a problem when nothing is given."""
    if given is None:
        return Contact(None, None)
    try:
        return Contact(email_address.parse(given), None)
    except email_address.Unusable as why:
        return Contact(None, f"{field} is no address that can be mailed: {why}")


def customer_of(notice: OrderNotice) -> Contact:
    return judge(notice.customer_email, "customerEmail")


def seller_of(notice: OrderNotice) -> Contact:
    return judge(notice.seller_email, "sellerEmail")


def of(notice: CustomerNotice) -> Contact:
    return judge(notice.email, "email")
