"""Sends what is queued: claim → server has the body → `sending` committed → dot → reply → result committed."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread

from prometheus_client import Counter
from sqlalchemy import Connection, Engine, exc

from notifier import alarms, announcing, letters, mailbox
from notifier.mailbox import Letter
from notifier.settings import NotifierSettings
from notifier.smtp import MailServer, NoReply, NotTaken
from notifier.upkeep import Upkeep
from runtime import clock, faults
from runtime.logging import log
from stream import failures, outbox
from stream.codec import Codec

SENDS = Counter("hookstream_mail_sends_total", "Attempts to send a mail, by what came of them", ["result"])
IDLE_S = 1.0
BACKOFF_S = (2.0, 3600.0)
SETTLED_WITHIN_S = 60.0


class Sender:
    """One thread, one connection to the mail server; several may run beside each other, here and in other replicas."""

    def __init__(self, settings: NotifierSettings, store: Engine, codec: Codec) -> None:
        self._settings = settings
        self._store = store
        self._codec = codec
        self._server = MailServer(settings.smtp_url, settings.mail_timeout_s)
        self._upkeep = Upkeep(settings, store)
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
                    self._upkeep.turn_when_due()
                self._upkeep.turn()
            except exc.SQLAlchemyError as failure:
                self._server.close()
                log.warning("store.failed", error=failures.name(failure))
            self.wake.wait(IDLE_S)
        self._server.close()

    def _send_one(self) -> bool:
        """Send the mail that has been due longest; whether there was one."""
        going: tuple[Letter, datetime] | None = None
        try:
            with self._store.begin() as tx:
                letter = mailbox.claim(tx, self._settings.operator_locale, self._settings.mail_max_age)
                if letter is None:
                    return False
                if self._offer(letter, tx):
                    going = letter, mailbox.sending(tx, letter)
        except exc.SQLAlchemyError:
            self._server.close()
            if going:  # whether that is committed or not, only we know that no dot was sent
                unsent, since = going
                self._settle(lambda tx: mailbox.not_sent(tx, unsent, since))
            raise
        if going:
            self._finish(letter)
        return True

    def _offer(self, letter: Letter, tx: Connection) -> bool:
        """Bring the mail up to its dot; whether there is one to send."""
        if letter.stale:
            self._ended(letter, "stale", "its webhook was received too long ago", tx)
            return False
        try:
            self._server.offer(letters.compose(letter, self._settings.mail_from))
        except NotTaken as refused:
            self._not_taken(letter, refused, tx)
        except Exception as broken:  # noqa: BLE001 - a letter that cannot be written must not hold up the others
            self._not_taken(letter, NotTaken(f"{type(broken).__name__}: {broken}", final=True), tx)
        else:
            return True
        return False

    def _finish(self, letter: Letter) -> None:
        try:
            self._server.finish()
        except NotTaken as refused:
            error = refused
            self._settle(lambda tx: self._not_taken(letter, error, tx))
        except NoReply as silence:
            why = str(silence)
            self._settle(lambda tx: self._ended(letter, "unknown", why, tx))
        else:
            self._settle(lambda tx: self._sent(letter, tx))
            SENDS.labels("sent").inc()
            log.info("notification.sent", to=announcing.reader(letter), id=letter.notification_id)

    @faults.before("sender.after_reply")
    def _settle(self, record: Callable[[Connection], None]) -> None:
        """Record what became of a mail: while the store is away only we know, so try until it is back."""
        until = time.monotonic() + SETTLED_WITHIN_S
        while True:
            try:
                with self._store.begin() as tx:
                    return record(tx)
            except exc.SQLAlchemyError:
                if time.monotonic() > until:
                    raise
                time.sleep(IDLE_S / 2)

    def _sent(self, letter: Letter, tx: Connection) -> None:
        mailbox.sent(tx, letter)
        outbox.insert(tx, [announcing.sent(letter, self._settings.mail_from, clock.now(), self._codec)])

    def _not_taken(self, letter: Letter, refused: NotTaken, tx: Connection) -> None:
        if refused.final:
            return self._ended(letter, "failed", str(refused), tx)
        least, most = BACKOFF_S
        seconds = min(most, least * 2 ** min(letter.attempts, 20)) * random.uniform(0.5, 1)  # noqa: S311 - spreads retries
        SENDS.labels("postponed").inc()
        log.warning("notification.postponed", id=letter.notification_id, error=str(refused), seconds=seconds)
        return mailbox.postponed(tx, letter, seconds, str(refused))

    def _ended(self, letter: Letter, status: str, why: str, tx: Connection) -> None:
        mailbox.ended(tx, letter, status, why)
        if status == "unknown":
            alarms.unknown(tx, [letter.notification_id])
        SENDS.labels(status).inc()
        tell = log.warning if status == "stale" else log.error
        tell(f"notification.{status}", id=letter.notification_id, error=why)
