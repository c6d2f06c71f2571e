"""Sends what is queued: claim → server has the bodies → `sending` committed → dots → replies → results committed.

Each step is taken for all mails of the lane together (`MAIL_CONNECTIONS`), so one commit serves them all, and a crash
leaves at most so many unknown.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event, Thread

from sqlalchemy import Connection, Engine, exc

from notifier import mail_queue
from notifier.mail import composer
from notifier.mail_queue import Letter
from notifier.sending import delivery_results
from notifier.sending.housekeeping import Housekeeping
from notifier.sending.lane import Heard, Lane, Left
from notifier.sending.smtp import Envelope, NotTaken, envelope
from notifier.settings import NotifierSettings
from runtime import faults
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import email_address
from stream.store import error_classification
from stream.store.ownership_signal import OwnershipSignal

IDLE_S = 1.0
SETTLED_WITHIN_S = 60.0


class Sender:
    """One thread with one lane of connections to the mail server. Each replica runs one."""

    def __init__(
        self, settings: NotifierSettings, store: Engine, codec: Codec, trust: OwnershipSignal | None = None
    ) -> None:
        """Without `trust` the store is always taken for what it was."""
        self._settings = settings
        self._store = store
        self._codec = codec
        self._branding = settings.branding
        width = settings.mail_connections
        self._lane = Lane(settings.smtp_url, settings.mail_timeout_s, settings.smtp_ca, width=width)
        self._upkeep = Housekeeping(settings, store)
        self.problem = self._upkeep.problem
        self._trust = trust
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
                while not stop.is_set() and self._send_next(stop):
                    self._upkeep.turn_when_due()
                self._lane.close_idle(time.monotonic())
                if self._trust is None or self._trust.is_given:
                    self._upkeep.turn_when_due()
            except exc.SQLAlchemyError as failure:
                self._lane.close()
                log.warning("store.failed", error=error_classification.name(failure))
                if self._trust and error_classification.is_store_failure(failure):
                    self._trust.withdraw()
            except Exception as failure:  # noqa: BLE001 - the next mail finds neither this connection nor its error
                self._lane.close()
                log.error("sender.failed", error=error_classification.describe(failure))
            if self.wake.wait(IDLE_S):
                stop.wait(self._settings.mail_gather_s)
        self._lane.close()

    def _send_next(self, stop: Event) -> bool:
        """Send the mails that have been due longest, as many as the lane has room for; whether more may be due."""
        going: list[Letter] = []
        since: datetime | None = None
        try:
            with self._store.begin() as tx:
                if self._trust and not self._trust.holds(tx):
                    return False
                settings, room = self._settings, self._lane.room(time.monotonic())
                letters = mail_queue.claim(tx, settings.operator_locale, settings.mail_max_age, room)
                if not letters:
                    return False
                going = self._offer(mail_queue.first_of_each_order(letters), tx, stop)
                if going and not stop.is_set():
                    since = mail_queue.sending(tx, going)
        except exc.SQLAlchemyError:
            self._lane.close()
            if since:  # whether that is committed or not, only we know that no dot was sent
                unsent = since
                self._settle(lambda tx: mail_queue.not_sent(tx, going, unsent))
            raise
        if since:
            self._finish(going)
        return len(letters) == room or len(going) < len(letters)

    def _offer(self, letters: Sequence[Letter], tx: Connection, stop: Event) -> list[Letter]:
        """Bring mails up to their dots, and record what cannot be sent now; those that can."""
        written = [(letter, mail) for letter in letters if (mail := self._written(letter, tx))]
        offered = self._lane.offer([mail for _, mail in written], stop.is_set)
        going = []
        for (letter, _), failure in zip(written, offered, strict=True):
            if failure is None:
                going.append(letter)
            elif not isinstance(failure, Left):
                delivery_results.not_taken(tx, letter, failure)
        return going

    def _written(self, letter: Letter, tx: Connection) -> Envelope | None:
        """Return the mail of a letter; None, with the reason recorded, where there is none to send."""
        try:
            if letter.stale:
                delivery_results.ended(tx, letter, "stale", "its webhook was received too long ago")
                return None
            return envelope(self._branding.address, _recipient(letter), composer.compose(letter, self._branding))
        except email_address.Unusable as why:
            delivery_results.ended(tx, letter, "no_recipient", str(why))
        except exc.SQLAlchemyError:
            raise
        except Exception as broken:  # noqa: BLE001 - a letter that cannot be written must not hold up the others
            delivery_results.not_taken(tx, letter, NotTaken(error_classification.describe(broken), final=True))
        return None

    def _finish(self, going: Sequence[Letter]) -> None:
        heard: list[tuple[Letter, Heard]] = list(zip(going, self._lane.finish(), strict=True))
        self._settle(lambda tx: delivery_results.record(tx, heard, self._branding, self._codec))
        for letter, answer in heard:
            if answer is None:
                delivery_results.report_sent(letter)

    @faults.before("sender.after_reply")
    def _settle(self, record: Callable[[Connection], None]) -> None:
        """Record what became of mails: while the store is away only we know, so try until it is back."""
        until = time.monotonic() + SETTLED_WITHIN_S
        while True:
            try:
                with self._store.begin() as tx:
                    return record(tx)
            except exc.SQLAlchemyError:
                if time.monotonic() > until:
                    raise
                time.sleep(IDLE_S / 2)


def _recipient(letter: Letter) -> str:
    """The stored address, which is the one the mail goes to.

    What was stored before addresses were checked is checked here. Raises Unusable.
    """
    if letter.recipient is None:
        raise email_address.Unusable(letter.problem or "its reader's address was taken back")
    if email_address.parse(letter.recipient, allow_dotless=letter.audience == "operator") != letter.recipient:
        raise email_address.Unusable("its reader's address is not stored as it would be sent to")
    return letter.recipient
