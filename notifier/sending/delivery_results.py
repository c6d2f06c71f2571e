"""Record the result of sending a mail: its row, the counters, the log and the outbox."""

import random
from collections.abc import Sequence

from prometheus_client import Counter
from sqlalchemy import Connection

from notifier import operator_alerts
from notifier.mail.branding import Branding
from notifier.queue import mail_queue
from notifier.queue.mail_queue import QueuedMail
from notifier.sending import notification_events
from notifier.sending.smtp import NoReply, NotTaken, is_answer
from runtime import clock
from runtime.logging import log
from runtime.timing.backoff import Backoff
from stream.avro.codec import Codec
from stream.events.text import redaction
from stream.events.text.json_text import error_text
from stream.store import outbox

SENDS = Counter("hookstream_mail_sends_total", "Attempts to send a mail, by result", ["result"])
BACKOFF = Backoff(2.0, 3600.0)


def record(
    tx: Connection, replies: Sequence[tuple[QueuedMail, NotTaken | NoReply | None]], branding: Branding, codec: Codec
) -> None:
    """Record the server's replies to the final dots, by which a mail is `sent` (None) or `unknown` (NoReply).

    A mail with NotTaken is recorded by `record_not_taken`.
    """
    answered = any(is_answer(reply) for _, reply in replies)
    taken = [mail for mail, reply in replies if reply is None]
    if taken:
        record_sent(tx, taken, branding, codec)
    for mail, reply in replies:
        if isinstance(reply, NotTaken):
            record_not_taken(tx, mail, reply, server_works=answered)
        elif reply:
            record_ended(tx, mail, "unknown", str(reply))


def record_sent(tx: Connection, mails: Sequence[QueuedMail], branding: Branding, codec: Codec) -> None:
    """Set mails to `sent`, and insert NotificationSent for each into the outbox."""
    mail_queue.mark_sent(tx, mails)
    at = clock.now()
    outbox.insert(tx, [notification_events.sent_message(mail, branding, at, codec) for mail in mails])


def report_sent(mail: QueuedMail) -> None:
    """Count and log a sent mail; call it after the commit."""
    SENDS.labels("sent").inc()
    log.info("notification.sent", to=notification_events.recipient_id(mail), id=mail.notification_id)


def record_not_taken(tx: Connection, mail: QueuedMail, refused: NotTaken, *, server_works: bool) -> None:
    """Postpone a mail that the server did not accept, or set it to `failed` if the refusal is final.

    The delay follows BACKOFF, with jitter. A mail that the server did not answer stays due and costs no attempt, unless
    `server_works`, because it has answered others: `ServerHealth` decides when the next mail is tried.
    """
    if refused.final:
        return record_ended(tx, mail, "failed", str(refused))
    SENDS.labels("postponed").inc()
    error = error_text(str(refused))
    if refused.by_server and not server_works:
        log.warning("mail_server.no_answer", id=mail.notification_id, error=redaction.masked_text(error))
        return mail_queue.put_back(tx, mail, error)
    seconds = BACKOFF.wait_s(mail.attempts + 1, random.random())  # noqa: S311 - spreads retries
    log.warning("notification.postponed", id=mail.notification_id, error=redaction.masked_text(error), seconds=seconds)
    return mail_queue.postpone(tx, mail, seconds, error)


def record_ended(tx: Connection, mail: QueuedMail, status: str, reason: str) -> None:
    """Set a status that only a person or a new address changes; count and log it. If `unknown`, raise an alert."""
    error = error_text(reason)
    mail_queue.end(tx, mail, status, error)
    if status == "unknown":
        operator_alerts.raise_unknown(tx, [mail.notification_id])
    SENDS.labels(status).inc()
    log_at_level = log.warning if status == "stale" else log.error
    log_at_level(f"notification.{status}", id=mail.notification_id, error=redaction.masked_text(error))
