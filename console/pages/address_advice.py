"""Advice about mails without an address: the shop has to post the customer, the seller or the order. Pure."""

from collections.abc import Iterable, Mapping

from console.web.page import Message
from runtime.json_value import JsonValue

OF_PERSON = {"customer": "post.customer", "seller": "post.seller"}
OF_ORDER = {"customer": "post.customer_of_order", "seller": "post.seller_of_order"}
"""The advice by audience, if the person whom the mail goes to is known, and if only the order is."""


def advice(mail: Mapping[str, JsonValue]) -> Message | None:
    """Return what to post for a mail of the notifier's list; None if it does not wait for a customer or a seller."""
    audience, person, order = mail["audience"], mail.get("user_id"), mail["order_id"]
    if mail["status"] != "waiting" or audience not in OF_PERSON:
        return None
    if person is None:
        return Message(OF_ORDER[audience], {"order": order})
    if order is None:
        return Message("post.customer_alone", {"person": person})
    return Message(OF_PERSON[audience], {"person": person, "order": order})


def of_all(mails: Iterable[Mapping[str, JsonValue]]) -> list[Message]:
    """Return the advice for these mails, each once, in the order of the mails."""
    found = [message for mail in mails if (message := advice(mail))]
    return [message for index, message in enumerate(found) if message not in found[:index]]
