"""Mails in lockstep, each over a connection of its own: all bodies are offered, then all final dots are sent.

Between the two the sender commits, once for all of them. What goes wrong on one connection ends that connection and
concerns its mail alone; the next mail begins on a new connection and finds nothing of it.
"""

import smtplib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from notifier import smtp_url
from notifier.sending import smtp
from notifier.sending.smtp import DOT, Envelope, NoReply, NotBegun, NotTaken
from notifier.sending.smtp_connection import NoConnection, connect, described
from notifier.sending.smtp_session import Session, together
from runtime import faults
from runtime.logging import log
from stream.store import error_classification

KEPT_S = 30.0
WIDER_AFTER_S = 10.0


class Left(Exception):
    """The mail was not tried: the server takes fewer at a time, or the notifier is to stop."""


Offered = NotTaken | Left | None
"""The result of an offer: None when only the final dot is missing."""
Heard = NotTaken | NoReply | None
"""The reply to the final dot: None when the server has taken the mail."""
Tried = Session | Exception


class Lane:
    """Up to `width` connections to the server at `url`, opened when needed and kept while they are good."""

    def __init__(self, url: str, timeout_s: float, ca: str | None = None, *, width: int = 1) -> None:
        self._url = smtp_url.parse(url)
        self._trust = None if self._url.tls == "off" else smtp_url.trust(ca)
        self._timeout_s = timeout_s
        self._width = self._limit = width
        self._limited_at = 0.0
        self._kept: list[Session] = []
        self._offered: list[Session] = []

    def room(self, now: float) -> int:
        """Return how many mails to offer together at `now` (monotonic seconds).

        After the server refused connections, it doubles every WIDER_AFTER_S up to the width.
        """
        if self._limit < self._width and now - self._limited_at > WIDER_AFTER_S:
            self._limit, self._limited_at = min(self._width, self._limit * 2), now
        return self._limit

    @faults.before("sender.after_claim")
    def offer(self, envelopes: Sequence[Envelope], is_stopping: Callable[[], bool] = lambda: False) -> list[Offered]:
        """Bring mails up to their final dots; what became of each.

        The server may have closed a connection that was kept: a mail that cannot begin on it gets a new one.
        """
        numbers = range(len(envelopes))
        kept, self._kept = self._kept[: len(envelopes)], self._kept[len(envelopes) :]
        tried = _try(dict(zip(numbers, kept, strict=False)), envelopes, is_stopping)
        without = [number for number in numbers if isinstance(tried.get(number, NotBegun("")), NotBegun)]
        tried |= _try(self._open(without), envelopes, is_stopping)
        return self._judged([tried[number] for number in numbers])

    @faults.before("sender.before_dot")
    def finish(self) -> list[Heard]:
        """Send the final dots of all mails that were offered, and hear the replies, in the order of the offers.

        Where the server spoke, or hung up, before its mail's dot was sent, that mail was not sent.
        """
        quiet = [session for session in self._offered if session.is_quiet()]
        self._send_dots(quiet)
        heard = together({session: smtp.hear(session) for session in quiet})
        outcomes = [_heard(heard.get(session, NOT_ASKED)) for session in self._offered]
        good = [session for session, outcome in zip(self._offered, outcomes, strict=True) if outcome is None]
        for session in self._offered:
            if session not in good:
                session.close()
        self._kept, self._offered = [*good, *self._kept], []
        return outcomes

    def close_idle(self, now: float) -> None:
        """Close, with QUIT, connections that were last used more than KEPT_S before `now` (monotonic seconds)."""
        idle = [session for session in self._kept if now - session.used_at > KEPT_S]
        self._kept = [session for session in self._kept if session not in idle]
        for session in idle:
            session.quit()

    def close(self) -> None:
        """Drop all connections; a mail that was offered and not finished is not sent."""
        for session in (*self._kept, *self._offered):
            session.close()
        self._kept, self._offered = [], []

    def _open(self, numbers: Sequence[int]) -> dict[int, Tried]:
        """Open a connection for each of these mails, all at a time; where that fails, why."""
        if len(numbers) < 2:  # noqa: PLR2004 - nothing to do beside each other
            return {number: self._connection() for number in numbers}
        with ThreadPoolExecutor(len(numbers)) as pool:
            return dict(zip(numbers, pool.map(lambda _: self._connection(), numbers), strict=True))

    def _connection(self) -> Tried:
        try:
            return Session(connect(self._url, self._trust, self._timeout_s), self._timeout_s)
        except NoConnection as failure:
            return NotBegun(str(failure))
        except (OSError, ValueError, smtplib.SMTPException) as failure:
            return NotBegun(described(failure))

    def _judged(self, tried: Sequence[Tried]) -> list[Offered]:
        """Keep what can go on. Where some connections take a mail and others none, the lane has become too wide."""
        self._offered = [one for one in tried if isinstance(one, Session)]
        working = [one for one in tried if not isinstance(one, NotBegun | Left)]
        refused = [one for one in tried if isinstance(one, NotBegun)]
        if not (working and refused):
            return [_offered(one) for one in tried]
        self._limit, self._limited_at = len(working), time.monotonic()
        log.warning("mail_server.fewer_connections", count=len(working), error=str(refused[0]))
        return [Left() if isinstance(one, NotBegun) else _offered(one) for one in tried]

    @faults.after("sender.after_dot")
    @faults.halfway("sender.halfway_dots")
    def _send_dots(self, sessions: Sequence[Session]) -> None:
        for session in sessions:
            with suppress(OSError):  # then there is no reply either
                session.send(DOT)


NOT_ASKED = NotTaken("the server spoke or hung up before the mail was complete", final=False)


def _try(
    sessions: Mapping[int, Tried], envelopes: Sequence[Envelope], is_stopping: Callable[[], bool]
) -> dict[int, Tried]:
    """Offer the mails of these numbers; return for each its connection, or the exception that stopped it."""
    numbers = {session: number for number, session in sessions.items() if isinstance(session, Session)}
    offers = {session: smtp.offer(session, envelopes[number]) for session, number in numbers.items()}
    tried = dict(sessions)
    for session, failure in together(offers, lambda: Left() if is_stopping() else None).items():
        if failure:
            session.close()
            tried[numbers[session]] = failure
    return tried


def _offered(tried: Tried) -> Offered:
    if isinstance(tried, Session):
        return None
    return tried if isinstance(tried, NotTaken | Left) else NotTaken(error_classification.describe(tried), final=True)


def _heard(ended: Exception | None) -> Heard:
    return ended if ended is None or isinstance(ended, NotTaken | NoReply) else NoReply(described(ended))
