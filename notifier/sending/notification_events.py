"""The NotificationSent records: which mail was sent, to whom and when, without the address."""

from notifier.mail import composer
from notifier.mail.branding import Branding
from notifier.queue.mail_queue import QueuedMail
from stream.avro.codec import Codec
from stream.events import EventId, Micros, NotificationSent, topics
from stream.store.outbox import OutboxMessage

OWN_ROWS = (topics.NOTIFICATIONS.name, 0)
"""The key of the sender's outbox rows. They belong to no partition; any notifier publishes them."""


def sent_message(mail: QueuedMail, branding: Branding, at: int, codec: Codec) -> OutboxMessage:
    """Return the outbox message with the NotificationSent of `mail`, sent `at` microseconds since 1970 UTC."""
    event = NotificationSent(
        notification_id=mail.notification_id,
        event_id=EventId(mail.event_id),
        event_type=mail.event_type,
        audience=mail.audience,
        channel=mail.channel,
        order_id=mail.order_id,
        customer_id=mail.customer_id,
        locale=composer.locale(mail),
        message_id=composer.message_id(mail, branding),
        sent_at=Micros(at),
        again_of=mail.again_of,
    )
    return OutboxMessage(*OWN_ROWS, topics.NOTIFICATIONS.name, mail.notification_id.encode(), codec.encode(event))


def recipient_id(mail: QueuedMail) -> str:
    """Return the recipient for the log: `operator`, a user id, else an order or notification id; never an address."""
    if mail.audience == "operator":
        return "operator"
    ids = (name for name in (mail.user_id, mail.order_id) if name and "@" not in name)
    return next(ids, mail.notification_id)
