"""Sends what is queued: claim → server has the body → `sending` committed → dot → reply → result committed."""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread

from sqlalchemy import Connection, Engine, exc

from notifier import letters, mailbox, results
from notifier.mailbox import Letter
from notifier.settings import NotifierSettings
from notifier.smtp import MailServer, NoReply, NotTaken
from notifier.upkeep import Upkeep
from runtime import faults
from runtime.logging import log
from stream import failures
from stream.codec import Codec
from stream.events import email_address
from stream.trust import Trust

IDLE_S = 1.0
SETTLED_WITHIN_S = 60.0


class Sender:
    """One thread, one connection to the mail server; several may run beside each other, here and in other replicas."""

    def __init__(self, settings: NotifierSettings, store: Engine, codec: Codec, trust: Trust | None = None) -> None:
        """Without `trust` the store is always taken for what it was."""
        self._settings = settings
        self._store = store
        self._codec = codec
        self._branding = settings.branding
        self._server = MailServer(settings.smtp_url, settings.mail_timeout_s, settings.smtp_ca)
        self._upkeep = Upkeep(settings, store)
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
                while not stop.is_set() and self._send_one():
                    self._upkeep.turn_when_due()
                if self._trust is None or self._trust.is_given:
                    self._upkeep.turn()
            except exc.SQLAlchemyError as failure:
                self._server.close()
                log.warning("store.failed", error=failures.name(failure))
                if self._trust and failures.is_of_store(failure):
                    self._trust.withdraw()
            except Exception as failure:  # noqa: BLE001 - the next mail finds neither this connection nor its error
                self._server.close()
                log.error("sender.failed", error=failures.describe(failure))
            self.wake.wait(IDLE_S)
        self._server.close()

    def _send_one(self) -> bool:
        """Send the mail that has been due longest; whether there was one."""
        going: tuple[Letter, datetime] | None = None
        try:
            with self._store.begin() as tx:
                if self._trust and not self._trust.holds(tx):
                    return False
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
            results.ended(tx, letter, "stale", "its webhook was received too long ago")
            return False
        try:
            recipient = _recipient(letter)
            self._server.offer(self._branding.address, recipient, letters.compose(letter, self._branding))
        except email_address.Unusable as why:
            results.ended(tx, letter, "no_recipient", str(why))
        except NotTaken as refused:
            results.not_taken(tx, letter, refused)
        except Exception as broken:  # noqa: BLE001 - a letter that cannot be written must not hold up the others
            self._server.close()
            results.not_taken(tx, letter, NotTaken(failures.describe(broken), final=True))
        else:
            return True
        return False

    def _finish(self, letter: Letter) -> None:
        try:
            self._server.finish()
        except NotTaken as refused:
            error = refused
            self._settle(lambda tx: results.not_taken(tx, letter, error))
        except NoReply as silence:
            why = str(silence)
            self._settle(lambda tx: results.ended(tx, letter, "unknown", why))
        else:
            self._settle(lambda tx: results.sent(tx, letter, self._branding, self._codec))
            results.report_sent(letter)

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


def _recipient(letter: Letter) -> str:
    """The stored address, which is the one the mail goes to.

    What was stored before addresses were checked is checked here. Raises Unusable.
    """
    if letter.recipient is None:
        raise email_address.Unusable(letter.problem or "its reader's address was taken back")
    if email_address.parse(letter.recipient, allow_dotless=letter.audience == "operator") != letter.recipient:
        raise email_address.Unusable("its reader's address is not stored as it would be sent to")
    return letter.recipient
