"""The health checks of Kafka and the spool: whether webhooks can be made durable, now and if Kafka fails."""

from gateway.append.appender import Appender
from gateway.append.spool import Spool


class Readiness:
    """The health checks of `appender` and of `spool`, if there is one."""

    def __init__(self, appender: Appender, spool: Spool | None) -> None:
        self._appender = appender
        self._spool = spool

    def problem(self) -> str | None:
        """Return why webhooks cannot be accepted now, or None: also while Kafka is unavailable and the spool works."""
        if self._spool is None or self._appender.fatal:
            return self._appender.problem()
        if self._spool.has_pending or self._appender.is_breaker_open():
            return _spool_problem(self._spool)
        return None

    def warning(self) -> str | None:
        """Return why the spool could not take webhooks if Kafka became unavailable, or None.

        None too without a spool, and while `problem` returns a sentence. This does not affect readiness: Kafka accepts
        webhooks now, and every gateway on such a disk has the warning.
        """
        return _spool_problem(self._spool) if self._spool and not self.problem() else None


def _spool_problem(spool: Spool) -> str | None:
    if spool.is_full:
        return "the spool is full"
    return f"the spool's disk refuses writes: {spool.write_error}" if spool.write_error else None
