"""The mail server: the lane of connections to it, and how many mails to offer to it by what it has answered."""

import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Gauge

from notifier.sending.lane import DotReply, Lane, NotTried, Offered
from notifier.sending.server_health import ServerHealth
from notifier.sending.smtp import SmtpEnvelope, is_answer
from notifier.settings import NotifierSettings
from runtime.logging import log

SILENT = Gauge(
    "hookstream_mail_server_silent_seconds",
    "Seconds for which the mail server has answered no mail; 0 while it answers, or no mail is due",
)


class MailServer:
    """Offers mails over a lane, as many as lane and server take, and notes whether the server answers them."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._health = ServerHealth()
        self._lane = Lane(
            settings.smtp_url,
            settings.mail_timeout_s,
            settings.smtp_ca,
            width=settings.mail_connections,
            on_reply=lambda: self._health.record_reply(time.monotonic()),
        )
        SILENT.set_function(lambda: self._health.silent_s(time.monotonic()))

    @property
    def is_failing(self) -> bool:
        """True while the last mails that were offered had no answer."""
        return self._health.is_failing

    @property
    def has_answered(self) -> bool:
        """True if the last mails that were offered had an answer; False before the first."""
        return self._health.has_answered

    def capacity(self) -> int:
        """Return how many mails to offer now; 0 until a server that answers none is due for a probe."""
        now = time.monotonic()
        return self._health.capacity(now, self._lane.capacity(now))

    def offer(self, envelopes: Sequence[SmtpEnvelope], is_stopping: Callable[[], bool]) -> list[Offered]:
        """Call `Lane.offer`, return its results, and note whether the server answered."""
        with self._health.asking(time.monotonic()):
            results = self._lane.offer(envelopes, is_stopping)
        if None not in results:  # else the replies to the dots say whether the server works
            self._note(results)
        return results

    def finish(self) -> list[DotReply]:
        """Call `Lane.finish`, return its replies, and note whether the server answered."""
        with self._health.asking(time.monotonic()):
            replies = self._lane.finish()
        self._note(replies)
        return replies

    def record_idle(self) -> None:
        """Note that no mail is due, so that none waits for the server."""
        self._health.record_idle()

    def close_idle(self) -> None:
        """Close connections that have not been used for a while."""
        self._lane.close_idle(time.monotonic())

    def close(self) -> None:
        """Close all connections; offered mails that were not finished are not sent."""
        self._lane.close()

    def _note(self, results: Iterable[Offered | DotReply]) -> None:
        """Note which mails the server has answered, and log when it falls silent or answers again."""
        failed = self.is_failing
        answers = [is_answer(result) for result in results if not isinstance(result, NotTried)]
        self._health.record(answers, time.monotonic())
        if failed != self.is_failing:
            log.warning("mail_server.back" if failed else "mail_server.silent")
