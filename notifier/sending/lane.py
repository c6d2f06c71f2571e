"""Send several mails together, each over its own connection: first all bodies, then all final dots.

The sender commits once between the two steps. A failure ends its connection and affects only its mail; the next mail
uses a new connection.
"""

import smtplib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from notifier import smtp_url
from notifier.sending import smtp
from notifier.sending.smtp import DOT, Dropped, NoReply, NotBegun, NotTaken, SmtpEnvelope
from notifier.sending.smtp_connection import NoConnection, connect, describe
from notifier.sending.smtp_session import SmtpSession, run_all
from runtime import faults
from runtime.logging import log
from stream.store import error_classification

IDLE_CLOSE_S = 30.0
WIDEN_AFTER_S = 10.0


class NotTried(Exception):
    """The mail was not tried: the server accepts fewer connections, or the notifier is stopping."""


Offered = NotTaken | NotTried | None
"""The result of an offer: None when only the final dot is missing."""
DotReply = NotTaken | NoReply | None
"""The reply to the final dot: None when the server has accepted the mail."""
Attempt = SmtpSession | Exception


class Lane:
    """Up to `width` connections to the server at `url`, opened when needed and reused while they work.

    `on_reply` is called after each reply of the server, in any thread.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float,
        ca: str | None = None,
        *,
        width: int = 1,
        on_reply: Callable[[], None] = lambda: None,
    ) -> None:
        self._url = smtp_url.parse(url)
        self._tls_context = None if self._url.tls == "off" else smtp_url.trust(ca)
        self._timeout_s = timeout_s
        self._width = self._limit = width
        self._on_reply = on_reply
        self._limited_at = 0.0
        self._idle: list[SmtpSession] = []
        self._offered: list[SmtpSession] = []

    def capacity(self, now: float) -> int:
        """Return how many mails to offer together at `now` (monotonic seconds).

        The number falls when the server refuses connections, and then doubles every WIDEN_AFTER_S up to `width`.
        """
        if self._limit < self._width and now - self._limited_at > WIDEN_AFTER_S:
            self._limit, self._limited_at = min(self._width, self._limit * 2), now
        return self._limit

    @faults.on_call("sender.after_claim")
    def offer(
        self, envelopes: Sequence[SmtpEnvelope], is_stopping: Callable[[], bool] = lambda: False
    ) -> list[Offered]:
        """Send mails up to their final dots, and return a result for each, in order; then call `finish` or `close`.

        The server may have closed an idle connection; a mail that cannot begin on one gets a new connection. A mail at
        which the server closes a new one gets another, on which its commands go one by one. Once `is_stopping` returns
        True, the mails that still wait for a reply are NotTried.
        """
        numbers = range(len(envelopes))
        reused, self._idle = self._idle[: len(envelopes)], self._idle[len(envelopes) :]
        attempts = _try(dict(zip(numbers, reused, strict=False)), envelopes, is_stopping)
        missing = [number for number in numbers if isinstance(attempts.get(number, NotBegun("")), NotBegun)]
        attempts |= _try(self._open(missing), envelopes, is_stopping)
        dropped = [number for number in missing if isinstance(attempts[number], Dropped)]
        attempts |= _try(self._open(dropped), envelopes, is_stopping, in_one_packet=False)
        return self._keep_working([attempts[number] for number in numbers])

    @faults.on_call("sender.before_dot")
    def finish(self) -> list[DotReply]:
        """Send the final dots of all offered mails, and return the replies in the order of the offers.

        If the server replies or hangs up before a mail's dot is sent, that mail was not sent (NotTaken).
        """
        ready = [session for session in self._offered if session.is_quiet()]
        self._send_dots(ready)
        replies = run_all({session: smtp.read_dot_reply(session) for session in ready})
        outcomes = [_dot_reply(replies.get(session, NOT_COMPLETED)) for session in self._offered]
        good = [session for session, outcome in zip(self._offered, outcomes, strict=True) if outcome is None]
        for session in self._offered:
            if session not in good:
                session.close()
        self._idle, self._offered = [*good, *self._idle], []
        return outcomes

    def close_idle(self, now: float) -> None:
        """Close, with QUIT, connections that have not been used for IDLE_CLOSE_S.

        `now` is in monotonic seconds.
        """
        idle = [session for session in self._idle if now - session.used_at > IDLE_CLOSE_S]
        self._idle = [session for session in self._idle if session not in idle]
        for session in idle:
            session.quit()

    def close(self) -> None:
        """Close all connections; offered mails that were not finished are not sent."""
        for session in (*self._idle, *self._offered):
            session.close()
        self._idle, self._offered = [], []

    def _open(self, numbers: Sequence[int]) -> dict[int, Attempt]:
        """Open a connection for each of these mails, in parallel; return the exception where that fails."""
        if len(numbers) < 2:  # noqa: PLR2004 - nothing to run in parallel
            return {number: self._connection() for number in numbers}
        with ThreadPoolExecutor(len(numbers)) as pool:
            return dict(zip(numbers, pool.map(lambda _: self._connection(), numbers), strict=True))

    def _connection(self) -> Attempt:
        try:
            smtp = connect(self._url, self._tls_context, self._timeout_s)
            self._on_reply()
            return SmtpSession(smtp, self._timeout_s, self._on_reply)
        except NoConnection as failure:
            return NotBegun(str(failure))
        except (OSError, ValueError, smtplib.SMTPException) as failure:
            return NotBegun(describe(failure))

    def _keep_working(self, attempts: Sequence[Attempt]) -> list[Offered]:
        """Keep the connections that can go on, and return the results of the offer.

        If some connections accept a mail and others cannot begin one, reduce the capacity to the number that work.
        """
        self._offered = [attempt for attempt in attempts if isinstance(attempt, SmtpSession)]
        working = [attempt for attempt in attempts if not isinstance(attempt, NotBegun | NotTried)]
        refused = [attempt for attempt in attempts if isinstance(attempt, NotBegun)]
        if not (working and refused):
            return [_offered(attempt) for attempt in attempts]
        self._limit, self._limited_at = len(working), time.monotonic()
        log.warning("mail_server.fewer_connections", count=len(working), error=str(refused[0]))
        return [NotTried() if isinstance(attempt, NotBegun) else _offered(attempt) for attempt in attempts]

    @faults.on_return("sender.after_dot")
    @faults.halfway("sender.halfway_dots")
    def _send_dots(self, sessions: Sequence[SmtpSession]) -> None:
        for session in sessions:
            with suppress(OSError):  # the missing reply is reported by read_dot_reply
                session.send(DOT)


NOT_COMPLETED = NotTaken("the server replied or closed the connection before the mail was complete", final=False)


def _try(
    sessions: Mapping[int, Attempt],
    envelopes: Sequence[SmtpEnvelope],
    is_stopping: Callable[[], bool],
    *,
    in_one_packet: bool = True,
) -> dict[int, Attempt]:
    """Offer the mails with these numbers; return for each its connection, or the exception that stopped it."""
    numbers = {session: number for number, session in sessions.items() if isinstance(session, SmtpSession)}
    offers = {
        session: smtp.offer(session, envelopes[number], in_one_packet=in_one_packet)
        for session, number in numbers.items()
    }
    attempts = dict(sessions)
    for session, failure in run_all(offers, lambda: NotTried() if is_stopping() else None).items():
        if failure:
            session.close()
            attempts[numbers[session]] = failure
    return attempts


def _offered(attempt: Attempt) -> Offered:
    if isinstance(attempt, SmtpSession):
        return None
    return (
        attempt
        if isinstance(attempt, NotTaken | NotTried)
        else NotTaken(error_classification.describe(attempt), final=True)
    )


def _dot_reply(ended: Exception | None) -> DotReply:
    return ended if ended is None or isinstance(ended, NotTaken | NoReply) else NoReply(describe(ended))
