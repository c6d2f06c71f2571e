"""Send queued mails: claim → mails offered → `sending` committed → dots → replies → results committed.

To offer a mail is to send MAIL, RCPT, DATA and its content, but not the line `.` that ends the content: the dot
(RFC 5321, section 4.1.1.4: end of mail data indication). Before its dot no server accepts a mail; after it only the
reply says whether it did. A lane is a group of connections to the mail server; each carries one mail after the other.

Each step handles up to MAIL_CONNECTIONS mails together, so they share each commit. A crash leaves at most that many
mails `unknown`.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event, Thread

from sqlalchemy import Connection, Engine, exc

from notifier.queue import mail_queue
from notifier.queue.mail_queue import QueuedMail
from notifier.sending import delivery_results
from notifier.sending.envelopes import envelope_of
from notifier.sending.lane import DotReply, NotTried
from notifier.sending.mail_server import MailServer
from notifier.sending.smtp import NotBegun, is_answer
from notifier.settings import NotifierSettings
from runtime import faults
from runtime.logging import log
from stream.avro.codec import Codec
from stream.store import error_classification
from stream.store.ownership_signal import OwnershipSignal

IDLE_S = 1.0
COMMIT_WITHIN_S = 60.0


class Sender:
    """One thread that sends due mails over one lane of connections, when `new_mail` is set or every IDLE_S."""

    def __init__(
        self, settings: NotifierSettings, store: Engine, codec: Codec, ownership: OwnershipSignal | None = None
    ) -> None:
        """Without `ownership`, the store is assumed never to be restored from a backup."""
        self._settings = settings
        self._store = store
        self._codec = codec
        self._branding = settings.branding
        self._server = MailServer(settings)
        self._ownership = ownership
        self.new_mail = Event()

    def start(self, stop: Event) -> Thread:
        """Start the thread, which sends mails until `stop` is set, and return it."""
        thread = Thread(target=self._run, args=(stop,), name="sender", daemon=True)
        thread.start()
        return thread

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            self.new_mail.clear()
            try:
                may_be_more = True
                while may_be_more and not stop.is_set():
                    may_be_more = self._send_next(stop)
                self._server.close_idle()
            except exc.SQLAlchemyError as failure:
                self._server.close()
                log.warning("store.failed", error=error_classification.name(failure))
                if self._ownership and error_classification.is_store_failure(failure):
                    self._ownership.clear()
            except Exception as failure:  # noqa: BLE001 - the next mail uses a new connection
                self._server.close()
                log.error("sender.failed", error=error_classification.describe(failure))
            if self.new_mail.wait(IDLE_S):
                stop.wait(self._settings.mail_gather_s)
        self._server.close()

    def _send_next(self, stop: Event) -> bool:
        """Send the mails that are due, as many as lane and server take; return whether more may be due."""
        if not (capacity := self._server.capacity()):
            return False
        offered: list[QueuedMail] = []
        since: datetime | None = None
        try:
            with self._store.begin() as tx:
                if self._ownership and not self._ownership.is_valid_for(tx):
                    return False
                mails = self._claim(tx, capacity)
                if not mails:
                    return False
                offered = self._offer(mail_queue.first_of_each_order(mails), tx, stop)
                if offered and not stop.is_set():
                    since = mail_queue.mark_sending(tx, offered)
        except exc.SQLAlchemyError:
            self._server.close()
            if since:  # committed or not, no dot was sent
                unsent = since
                self._commit_results(lambda tx: mail_queue.requeue(tx, offered, unsent))
            raise
        if since:
            self._finish(offered)
        return len(mails) == capacity or len(offered) < len(mails)

    def _claim(self, tx: Connection, most: int) -> list[QueuedMail]:
        """Lock up to `most` mails that are due and return them; if none is due, tell the server's health so.

        A probe of a failing server is a mail that it has not seen yet, if there is one: it may fail only at the others.
        """
        locale, max_age_s = self._settings.operator_locale, self._settings.mail_max_age
        if not self._server.is_failing:
            return mail_queue.claim(tx, locale, max_age_s, most)
        mails = mail_queue.claim_probe(tx, locale, max_age_s)
        if not mails and not mail_queue.has_due(tx):
            self._server.record_idle()
        return mails

    def _offer(self, mails: Sequence[QueuedMail], tx: Connection, stop: Event) -> list[QueuedMail]:
        """Send mails up to their dots, record those that cannot be sent now, and return the others.

        If the server answered just before, a mail that it has begun and leaves without an answer is the likely cause.
        """
        worked = self._server.has_answered
        composed = [(mail, message) for mail in mails if (message := envelope_of(mail, self._branding, tx))]
        results = self._server.offer([message for _, message in composed], stop.is_set)
        answered, offered = any(map(is_answer, results)), []
        for (mail, _), result in zip(composed, results, strict=True):
            if result is None:
                offered.append(mail)
            elif not isinstance(result, NotTried):
                is_cause = answered or (worked and not isinstance(result, NotBegun))
                delivery_results.record_not_taken(tx, mail, result, server_works=is_cause)
        return offered

    def _finish(self, offered: Sequence[QueuedMail]) -> None:
        replies: list[tuple[QueuedMail, DotReply]] = list(zip(offered, self._server.finish(), strict=True))
        self._commit_replies(replies)
        for mail, reply in replies:
            if reply is None:
                delivery_results.report_sent(mail)

    @faults.on_call("sender.after_reply")
    def _commit_replies(self, replies: Sequence[tuple[QueuedMail, DotReply]]) -> None:
        self._commit_results(lambda tx: delivery_results.record(tx, replies, self._branding, self._codec))

    def _commit_results(self, record: Callable[[Connection], None]) -> None:
        """Commit results, which only this process knows; retry for COMMIT_WITHIN_S, then raise SQLAlchemyError."""
        deadline = time.monotonic() + COMMIT_WITHIN_S
        while True:
            try:
                with self._store.begin() as tx:
                    return record(tx)
            except exc.SQLAlchemyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(IDLE_S / 2)
