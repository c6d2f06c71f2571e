"""Management routes that pause and resume a service.

A paused service finishes the batch in hand and then consumes nothing, retries nothing and sends nothing. It stays in
its consumer group and keeps its partitions, so it continues where it stopped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from runtime.logging import log
from runtime.management.openapi import NUMBER, TEXT, Operation, described, optional, record
from runtime.management.parameters import required_text
from runtime.management.refusals import refused_while_store_is_away
from runtime.management.routes import Routes
from stream.store import pausing
from stream.store.pausing import Pause

LONGEST = 500
"""The longest reason and name of an operator, in characters."""
_ANSWER = record(service=TEXT, pause=optional(record(reason=TEXT, by=TEXT, since=NUMBER)))
SHOW = Operation("The pause of the service; null while it runs", response=_ANSWER, refusals=(503,))
PAUSE = Operation(
    'Pause the service; the body is {"reason": why, "by": who}', body=record(), response=_ANSWER, refusals=(503,)
)
RESUME = Operation("Resume the service", body=record(), response=_ANSWER, refusals=(503,))


@dataclass(frozen=True, slots=True)
class PauseApi:
    """The routes over the store of one service. All requests are idempotent.

    Each returns `service` and its `pause`, None while it runs, whose `since` is in microseconds since 1970 UTC.
    Raises RequestRefused (503) when the store fails.
    """

    service: str
    store: Engine

    def routes(self) -> Routes:
        """Return the handlers by method and path."""
        return {
            ("GET", "/pause"): described(SHOW, self.show),
            ("POST", "/pause"): described(PAUSE, self.pause),
            ("POST", "/resume"): described(RESUME, self.resume),
        }

    def show(self, _: Mapping[str, object]) -> object:
        return self._transact(lambda _: None)

    def pause(self, request: Mapping[str, object]) -> object:
        """Pause the service. `request` is {"reason", "by"}; raises RequestRefused (400) if either is unusable."""
        reason, by = required_text(request, "reason", LONGEST), required_text(request, "by", LONGEST)
        answer = self._transact(lambda tx: pausing.pause(tx, reason, by))
        log.warning("service.paused", cause=reason)
        return answer

    def resume(self, _: Mapping[str, object]) -> object:
        answer = self._transact(pausing.resume)
        log.info("service.resumed")
        return answer

    def _transact(self, change: Callable[[Connection], None]) -> object:
        with refused_while_store_is_away(self.service), self.store.begin() as tx:
            change(tx)
            return {"service": self.service, "pause": _json(pausing.read(tx))}


def _json(pause: Pause | None) -> dict[str, object] | None:
    return None if pause is None else {"reason": pause.reason, "by": pause.by, "since": pause.since}
