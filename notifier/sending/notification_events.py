"""What the topic hears of mails: that one was sent, to whom and when, never its address."""

from notifier.mail import composer
from notifier.mail.branding import Branding
from notifier.mail_queue import Letter
from stream.avro.codec import Codec
from stream.events import NotificationSent, topics
from stream.store.outbox import Message

OWN_ROWS = (topics.NOTIFICATIONS.name, 0)
"""The outbox rows of the sender: no partition's, published by whichever sender comes by."""


def sent(letter: Letter, branding: Branding, at: int, codec: Codec) -> Message:
    """The record that `letter` was sent, `at` microseconds since 1970 UTC."""
    told = NotificationSent(
        notification_id=letter.notification_id,
        fact_id=letter.fact_id,
        fact_type=letter.fact_type,
        audience=letter.audience,
        channel=letter.channel,
        order_id=letter.order_id,
        customer_id=letter.customer_id,
        locale=composer.locale(letter),
        message_id=composer.message_id(letter, branding),
        sent_at=at,
    )
    return Message(*OWN_ROWS, topics.NOTIFICATIONS.name, letter.notification_id.encode(), codec.encode(told))


def reader(letter: Letter) -> str:
    """Who was written to, for the log: a customer's or seller's id, else the order's; never an address."""
    if letter.audience == "operator":
        return "operator"
    named = (one for one in (letter.user_id, letter.order_id) if one and "@" not in one)
    return next(named, letter.notification_id)
