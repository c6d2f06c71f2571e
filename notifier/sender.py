"""Sends what is queued: claim → server has the body → `sending` committed → dot → reply → result committed."""

import random
import time
from collections.abc import Callable
from threading import Event, Thread

from prometheus_client import Counter
from sqlalchemy import Connection, Engine, exc

from notifier import letters, mailbox
from notifier.mailbox import Letter
from notifier.settings import NotifierSettings
from notifier.smtp import MailServer, NoReply, NotTaken
from runtime import clock
from runtime.logging import log
from stream import outbox, topics
from stream.codec import Codec
from stream.events import NotificationSent
from stream.outbox import Message
from stream.publisher import Publisher

MAILS = Counter("hookstream_mails_total", "Mails by what became of them", ["status"])
IDLE_S = 1.0
BACKOFF_S = (2.0, 3600.0)
OWN_ROWS = (topics.NOTIFICATIONS.name, 0)
"""The outbox rows of the sender: no partition's, published by whichever sender comes by."""
ABANDONED_AFTER_S = 120.0
SETTLED_WITHIN_S = 60.0


class Sender:
    """One thread, one connection to the mail server; several may run beside each other, here and in other replicas."""

    def __init__(self, settings: NotifierSettings, store: Engine, codec: Codec) -> None:
        self._settings = settings
        self._store = store
        self._codec = codec
        self._server = MailServer(settings.smtp_url, settings.mail_timeout_s)
        self._publisher = Publisher(settings.kafka_bootstrap_servers, while_waiting=lambda: None)
        self.wake = Event()

    def start(self, stop: Event) -> Thread:
        """Send in a thread until `stop` is set."""
        thread = Thread(target=self._run, args=(stop,), name="sender", daemon=True)
        thread.start()
        return thread

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            self.wake.clear()
            try:
                while not stop.is_set() and self._send_one():
                    pass
                self._tidy()
            except exc.DBAPIError as failure:
                self._server.close()
                log.warning("store.failed", error=str(failure.orig).strip())
            self.wake.wait(IDLE_S)
        self._server.close()

    def _send_one(self) -> bool:
        """Send the mail that has been due longest; whether there was one."""
        with self._store.begin() as tx:
            letter = mailbox.claim(tx)
            if letter is None:
                return False
            try:
                self._server.offer(letters.compose(letter, self._settings.mail_from))
            except NotTaken as refused:
                self._not_taken(letter, refused, tx)
                return True
            except Exception as broken:  # noqa: BLE001 - a letter that cannot be written must not hold up the others
                self._not_taken(letter, NotTaken(f"{type(broken).__name__}: {broken}", final=True), tx)
                return True
            mailbox.sending(tx, letter)
        self._finish(letter)
        return True

    def _finish(self, letter: Letter) -> None:
        try:
            self._server.finish()
        except NotTaken as refused:
            error = refused
            self._settle(lambda tx: self._not_taken(letter, error, tx))
        except NoReply as silence:
            why = str(silence)
            MAILS.labels("unknown").inc()
            log.error("notification.unknown", id=letter.notification_id, error=why)
            self._settle(lambda tx: mailbox.ended(tx, letter, "unknown", why))
        else:
            self._settle(lambda tx: self._sent(letter, tx))
            MAILS.labels("sent").inc()
            log.info("notification.sent", to=letter.customer_id or letter.order_id, id=letter.notification_id)

    def _settle(self, record: Callable[[Connection], None]) -> None:
        """Record what became of a mail: while the store is away only we know, so try until it is back."""
        until = time.monotonic() + SETTLED_WITHIN_S
        while True:
            try:
                with self._store.begin() as tx:
                    return record(tx)
            except exc.DBAPIError:
                if time.monotonic() > until:
                    raise
                time.sleep(IDLE_S / 2)

    def _sent(self, letter: Letter, tx: Connection) -> None:
        mailbox.sent(tx, letter)
        outbox.insert(tx, [self._told(letter)])

    def _not_taken(self, letter: Letter, refused: NotTaken, tx: Connection) -> None:
        if refused.final:
            MAILS.labels("failed").inc()
            log.error("notification.failed", id=letter.notification_id, error=str(refused))
            return mailbox.ended(tx, letter, "failed", str(refused))
        least, most = BACKOFF_S
        seconds = min(most, least * 2**letter.attempts) * random.uniform(0.5, 1)  # noqa: S311 - spreads retries
        MAILS.labels("postponed").inc()
        log.warning("notification.postponed", id=letter.notification_id, error=str(refused), seconds=seconds)
        return mailbox.postponed(tx, letter, seconds, str(refused))

    def _tidy(self) -> None:
        """Tell the topic what was sent, and report what a sender that died left behind."""
        with self._store.begin() as tx:
            mailbox.give_up_abandoned(tx, ABANDONED_AFTER_S)
            left = outbox.left(tx, [OWN_ROWS])
        if left:
            self._publisher.publish([message for _, message in left])
            with self._store.begin() as tx:
                outbox.delete(tx, [row for row, _ in left])

    def _told(self, letter: Letter) -> Message:
        told = NotificationSent(
            notification_id=letter.notification_id,
            fact_id=letter.fact_id,
            fact_type=letter.fact_type,
            audience=letter.audience,
            channel=letter.channel,
            order_id=letter.order_id,
            customer_id=letter.customer_id,
            locale=letters.locale(letter),
            message_id=letters.message_id(letter, self._settings.mail_from),
            sent_at=clock.now(),
        )
        key = letter.notification_id.encode()
        return Message(*OWN_ROWS, topics.NOTIFICATIONS.name, key, self._codec.encode(told))
