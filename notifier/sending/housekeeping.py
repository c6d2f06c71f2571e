"""Periodic work beside the sender: expire overdue mails, queue alert mails, publish its outbox rows, update gauges."""

import time
from threading import Event, Thread

from prometheus_client import Gauge
from sqlalchemy import Engine, exc

from notifier import operator_alerts
from notifier.queue import unsent_mails
from notifier.sending.notification_events import OWN_ROWS
from notifier.settings import NotifierSettings
from runtime import faults
from runtime.logging import log
from stream.kafka.cluster import Cluster
from stream.store import error_classification, outbox
from stream.store.ownership_signal import OwnershipSignal
from stream.worker.publishing.publisher import Publisher

MAILS = Gauge("hookstream_mails", "Mails that are not sent, by status", ["status"])
OLDEST_MAIL = Gauge(
    "hookstream_oldest_mail_seconds", "Age of the oldest mail that is queued or being sent; 0 without one"
)
INTERVAL_S = 1.0
COUNT_INTERVAL_S = 5.0
UNKNOWN_AFTER_S = 120.0


class Housekeeping:
    """A thread of its own for the periodic work, since publishing waits for Kafka; the rest goes on meanwhile.

    Several replicas may do it at the same time.
    """

    def __init__(self, settings: NotifierSettings, store: Engine, ownership: OwnershipSignal | None = None) -> None:
        """Without `ownership`, the store is assumed never to be restored from a backup."""
        self._settings = settings
        self._store = store
        self._ownership = ownership
        self._publisher = Publisher(Cluster.of(settings, "notifier"), self._tidy_if_due)
        self.problem = self._publisher.problem
        self._tidied_at = self._counted_at = -COUNT_INTERVAL_S

    def start(self, stop: Event) -> Thread:
        """Start the thread, which works every INTERVAL_S until `stop` is set, and return it.

        It also ends when Kafka's producer is stuck or has failed for good.
        """
        thread = Thread(target=self._run, args=(stop,), name="housekeeping", daemon=True)
        thread.start()
        return thread

    def _run(self, stop: Event) -> None:
        while not stop.wait(INTERVAL_S):
            if self._ownership and not self._ownership.is_set:
                continue
            try:
                self._tidy_if_due()
                self._publish()
            except exc.SQLAlchemyError as failure:
                log.warning("store.failed", error=error_classification.name(failure))
                if self._ownership and error_classification.is_store_failure(failure):
                    self._ownership.clear()
            except Exception as failure:  # noqa: BLE001 - tried again in INTERVAL_S
                log.error("housekeeping.failed", error=error_classification.describe(failure))

    def _tidy_if_due(self) -> None:
        """Expire overdue mails, queue alert mails and update the gauges, if the last time is INTERVAL_S ago."""
        now = time.monotonic()
        if now - self._tidied_at < INTERVAL_S:
            return
        self._tidied_at = now
        self._expire()
        if now - self._counted_at >= COUNT_INTERVAL_S:
            self._counted_at = now
            self._count()

    def _expire(self) -> None:
        settings = self._settings
        with self._store.begin() as tx:
            unknown = unsent_mails.expire_sending(tx, UNKNOWN_AFTER_S)
            operator_alerts.raise_unknown(tx, unknown)
            overdue = unsent_mails.expire_waiting(tx, settings.recipient_wait, settings.mail_max_age)
            if settings.operator_email:
                operator_alerts.queue_alert_mail(
                    tx, settings.operator_email, settings.alert_interval, settings.mail_max_age
                )
        for notification_id, status in (*((notification_id, "unknown") for notification_id in unknown), *overdue):
            log.warning(f"notification.{status}", id=notification_id)

    def _publish(self) -> None:
        with self._store.begin() as tx:
            left = outbox.unpublished(tx, [OWN_ROWS])
        if left:
            self._publisher.publish([message for _, message in left])
            self._delete_published([row for row, _ in left])

    @faults.on_call("sender.after_publish")
    def _delete_published(self, rows: list[int]) -> None:
        with self._store.begin() as tx:
            outbox.delete(tx, rows)

    def _count(self) -> None:
        with self._store.begin() as tx:
            for status, count in unsent_mails.counts(tx).items():
                MAILS.labels(status).set(count)
            OLDEST_MAIL.set(unsent_mails.oldest_age(tx))
