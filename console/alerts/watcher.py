"""Evaluates alerts and sends messages about them, in a thread with database connections of its own.

The processing of webhooks never waits for this thread. Several replicas may run it: one evaluates at a time, and a
message that a replica is sending is locked for the others.
"""

from collections.abc import Mapping
from threading import Event, Thread

from sqlalchemy import Engine, exc

from console.alerts import domain, store
from console.alerts.channels import Channel, Undelivered
from console.alerts.conditions import Conditions
from console.alerts.domain import KINDS
from runtime import clock
from runtime.logging import log
from runtime.postgres.engine import failure_message
from runtime.timing.backoff import Backoff

BACKOFF = Backoff(2.0, 3600.0)
GIVE_UP_US = clock.DAY_US
"""A message is given up a day after it was made: by then it no longer says what is wrong."""
KEPT_US = 30 * clock.DAY_US
"""How long messages stay in the store."""


class Watcher:
    """Evaluates the alerts every `check_s` seconds, and sends the messages that are due by all `channels`.

    `interval_s` is the shortest time between two messages about new alerts of one kind.
    """

    def __init__(
        self,
        log_store: Engine,
        conditions: Conditions,
        channels: Mapping[str, Channel],
        *,
        check_s: float,
        interval_s: float,
    ) -> None:
        self._store = log_store
        self._conditions = conditions
        self._channels = channels
        self._check_s = check_s
        self._interval_us = int(interval_s * 1_000_000)

    def start(self, stop: Event) -> Thread:
        """Start and return the thread, which runs until `stop` is set. Errors are logged; the next check follows."""
        thread = Thread(target=self._run, args=(stop,), name="alerts", daemon=True)
        thread.start()
        return thread

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                self.evaluate(clock.now())
                while not stop.is_set() and self.deliver_next(clock.now()):
                    continue
            except exc.SQLAlchemyError as failure:
                log.warning("store.failed", error=failure_message(failure))
            except Exception as failure:  # noqa: BLE001 - the next look may succeed
                log.error("alerts.failed", error=f"{type(failure).__name__}: {failure}")
            stop.wait(self._check_s)

    def evaluate(self, now: int) -> None:
        """Store what is wrong at `now` (microseconds since 1970 UTC), and queue the messages that are due.

        Both are in one transaction. Do nothing if another replica is evaluating.
        """
        found = dict(self._conditions.of_services(now))
        with self._store.begin() as tx:
            if not store.lock(tx):
                return
            found |= self._conditions.of_log(tx, now)
            for kind in KINDS:
                if kind in found:
                    opened, ended = store.update(tx, kind, found[kind], now)
                    last_at = store.last_message_at(tx, kind)
                    if message := domain.due(kind, opened, ended, last_at, now, self._interval_us):
                        store.queue(tx, message, list(self._channels))
                        log.warning("alert.raised" if opened else "alert.over", type=kind, count=len(message.alerts))
            store.forget(tx, now - KEPT_US)

    def deliver_next(self, now: int) -> bool:
        """Send the message that is due longest and record the result; return False if none was due.

        The delivery's row stays locked while its message is sent. If the process dies after the receiver has taken the
        message and before the commit, the message is sent again under the same id.
        """
        with self._store.begin() as tx:
            delivery = store.claim(tx, list(self._channels), now)
            if delivery is None:
                return False
            try:
                self._channels[delivery.channel](delivery, now)
            except Undelivered as failure:
                wait_us = int(BACKOFF.wait_s(delivery.attempts + 1) * 1_000_000)
                ended_at = now if now - delivery.made_at > GIVE_UP_US else None
                store.postpone(tx, delivery, str(failure), now + wait_us, given_up_at=ended_at)
                log.warning(
                    "alert.undelivered", type=delivery.channel, error=str(failure), attempt=delivery.attempts + 1
                )
            else:
                store.mark_delivered(tx, delivery, now)
        return True
