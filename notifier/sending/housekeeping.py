"""What has to be done beside the sending: give up what is overdue, raise alarms, tell the topic, count."""

import time

from prometheus_client import Gauge
from sqlalchemy import Engine

from notifier import mail_queue, operator_alerts
from notifier.sending.notification_events import OWN_ROWS
from notifier.settings import NotifierSettings
from runtime import faults
from runtime.logging import log
from stream.kafka.client_config import Cluster
from stream.store import outbox
from stream.worker.publisher import Publisher

MAILS = Gauge("hookstream_mails", "Mails that are not sent, by status", ["status"])
OLDEST_MAIL = Gauge(
    "hookstream_oldest_mail_seconds", "Age of the oldest mail that is queued or being sent; 0 without one"
)
EVERY_S = 1.0
COUNT_EVERY_S = 5.0
ABANDONED_AFTER_S = 120.0


class Housekeeping:
    """Looks after the mailbox; several may do so beside each other."""

    def __init__(self, settings: NotifierSettings, store: Engine) -> None:
        self._settings = settings
        self._store = store
        self._publisher = Publisher(Cluster.of(settings, "notifier"), while_waiting=lambda: None)
        self.problem = self._publisher.problem
        self._turned_at = self._counted_at = -COUNT_EVERY_S

    def turn_when_due(self) -> None:
        """Do it if it was not done within the last second."""
        if time.monotonic() - self._turned_at >= EVERY_S:
            self.turn()

    def turn(self) -> None:
        """Do all that is due now."""
        self._turned_at = time.monotonic()
        self._give_up()
        self._tell()
        if self._turned_at - self._counted_at >= COUNT_EVERY_S:
            self._counted_at = self._turned_at
            self._count()

    def _give_up(self) -> None:
        settings = self._settings
        with self._store.begin() as tx:
            lost = mail_queue.give_up_abandoned(tx, ABANDONED_AFTER_S)
            operator_alerts.unknown(tx, lost)
            overdue = mail_queue.give_up_waiting(tx, settings.recipient_wait, settings.mail_max_age)
            if settings.operator_email:
                operator_alerts.tell(tx, settings.operator_email, settings.alarm_interval, settings.mail_max_age)
        for notification_id, status in (*((one, "unknown") for one in lost), *overdue):
            log.warning(f"notification.{status}", id=notification_id)

    def _tell(self) -> None:
        with self._store.begin() as tx:
            left = outbox.unpublished(tx, [OWN_ROWS])
        if left:
            self._publisher.publish([message for _, message in left])
            self._forget([row for row, _ in left])

    @faults.before("sender.after_publish")
    def _forget(self, rows: list[int]) -> None:
        with self._store.begin() as tx:
            outbox.delete(tx, rows)

    def _count(self) -> None:
        with self._store.begin() as tx:
            for status, count in mail_queue.counts(tx).items():
                MAILS.labels(status).set(count)
            OLDEST_MAIL.set(mail_queue.oldest_age(tx))
