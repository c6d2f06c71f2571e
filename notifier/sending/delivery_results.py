"""What came of a mail: its row says so, and so do the counters, the log and, where somebody should know, Kafka."""

import random
from collections.abc import Sequence

from prometheus_client import Counter
from sqlalchemy import Connection

from notifier import mail_queue, operator_alerts
from notifier.mail.branding import Branding
from notifier.mail_queue import Letter
from notifier.sending import notification_events
from notifier.sending.smtp import NoReply, NotTaken
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import redaction
from stream.events.json_text import error_text
from stream.store import outbox

SENDS = Counter("hookstream_mail_sends_total", "Attempts to send a mail, by what came of them", ["result"])
BACKOFF_S = (2.0, 3600.0)


def record(
    tx: Connection, heard: Sequence[tuple[Letter, NotTaken | NoReply | None]], branding: Branding, codec: Codec
) -> None:
    """Record what the server said to the final dots of these mails; None where it has taken one."""
    taken = [letter for letter, answer in heard if answer is None]
    if taken:
        sent(tx, taken, branding, codec)
    for letter, answer in heard:
        if isinstance(answer, NotTaken):
            not_taken(tx, letter, answer)
        elif answer:
            ended(tx, letter, "unknown", str(answer))


def sent(tx: Connection, letters: Sequence[Letter], branding: Branding, codec: Codec) -> None:
    """The server has them: nobody sends them again, and whoever reads the topic knows."""
    mail_queue.sent(tx, letters)
    at = clock.now()
    outbox.insert(tx, [notification_events.sent(letter, branding, at, codec) for letter in letters])


def report_sent(letter: Letter) -> None:
    """Say so, once that is committed."""
    SENDS.labels("sent").inc()
    log.info("notification.sent", to=notification_events.reader(letter), id=letter.notification_id)


def not_taken(tx: Connection, letter: Letter, refused: NotTaken) -> None:
    """The server has it not: it is offered again later, twice as late each time, unless the refusal was final."""
    if refused.final:
        return ended(tx, letter, "failed", str(refused))
    least, most = BACKOFF_S
    seconds = min(most, least * 2 ** min(letter.attempts, 20)) * random.uniform(0.5, 1)  # noqa: S311 - spreads retries
    SENDS.labels("postponed").inc()
    error = error_text(str(refused))
    log.warning(
        "notification.postponed", id=letter.notification_id, error=redaction.masked_text(error), seconds=seconds
    )
    return mail_queue.postponed(tx, letter, seconds, error)


def ended(tx: Connection, letter: Letter, status: str, why: str) -> None:
    """It is not offered again, unless a person says so."""
    error = error_text(why)
    mail_queue.ended(tx, letter, status, error)
    if status == "unknown":
        operator_alerts.unknown(tx, [letter.notification_id])
    SENDS.labels(status).inc()
    tell = log.warning if status == "stale" else log.error
    tell(f"notification.{status}", id=letter.notification_id, error=redaction.masked_text(error))
