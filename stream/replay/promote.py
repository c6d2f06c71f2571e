"""Replaces the live schema by a replayed one while the service runs, without losing or repeating an effect.

An advisory lock that every acquisition of partitions needs holds off workers, and raised epochs fence them. Then the
outbox is published completely, the new schema is brought to exactly the positions of the live one, and the names are
swapped in one transaction with exclusive locks on all tables. Statements that wait for a lock then find the new table.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from runtime.config.worker_settings import WorkerSettings
from stream.kafka.cluster import Cluster
from stream.kafka.position import Partition
from stream.replay import offsets, schema
from stream.replay.fill import ledger, positions
from stream.replay.fill.ledger import ReplayRequest
from stream.replay.offsets import OffsetRange
from stream.replay.run import Replay
from stream.replay.schema import quoted
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.store import outbox, ownership, pausing
from stream.store.schema import contract_views
from stream.worker.publishing.publisher import Publisher

CATCH_UP_TIMEOUT_S = 60.0
POLL_INTERVAL_S = 0.5
LOCK = "SELECT pg_advisory_lock(%(key)s)"
UNLOCK = "SELECT pg_advisory_unlock(%(key)s)"
RAISE_EPOCHS = "UPDATE ownership SET epoch = epoch + 1"
ALL_OUTBOX = "SELECT id, source_topic, source_partition, topic, key, value FROM outbox ORDER BY id LIMIT 5000"

# A worker deletes published rows by id, maybe after the swap: no new row may have one of these ids.
SKIP_OUTBOX_IDS = """
SELECT setval(pg_get_serial_sequence(%(new)s, 'id'),
              greatest(nextval(pg_get_serial_sequence(%(new)s, 'id')),
                       nextval(pg_get_serial_sequence(%(live)s, 'id'))) + 1000000)
"""


class Promotion:
    """Makes the schema `candidate` the live one; the schema that was live until then gets the name `retired`."""

    def __init__(self, spec: ReplaySpec, settings: WorkerSettings, live: Engine, candidate: str, retired: str) -> None:
        self._spec = spec
        self._settings = settings
        self._cluster = Cluster.of(settings, spec.service)
        self._live = live
        self._name = schema.live_name(live)
        self._candidate = candidate
        self._retired = retired
        self._store = schema.schema_engine(settings.session_url, candidate, service="replay")
        self._replay = Replay(spec, settings, self._store)

    def promote(self) -> None:
        """Bring the candidate to the positions of the live service, and swap both; return when the candidate is live.

        Raises ReplayImpossible when the live service stays behind the candidate, and OperationalError when the tables
        cannot be locked in time. Nothing is swapped then, and the service goes on with the live schema: at most its
        epochs are raised, which makes its workers take over their partitions again, and its outbox is published.
        """
        self.catch_up()
        with takeovers_locked(self._live):
            with self._live.begin() as tx:
                tx.exec_driver_sql(RAISE_EPOCHS)
            self._publish_outbox()
            positions = self._positions()
            self._replay.run_to(positions)
            self._check_not_ahead(positions)
            self._swap(positions)

    def catch_up(self) -> None:
        """Replay into the candidate up to the positions of the live service, without making it live.

        Raises ReplayImpossible when the live service is still behind the candidate after CATCH_UP_TIMEOUT_S.
        """
        self._replay.resume()
        self._replay.run_to(self._await_live())

    def _await_live(self) -> dict[Partition, int]:
        """Wait until the live service is no longer behind the candidate; return its positions.

        Raises ReplayImpossible after CATCH_UP_TIMEOUT_S.
        """
        until = time.monotonic() + CATCH_UP_TIMEOUT_S
        while True:
            positions, unread = self._positions(), self._replay.unread()
            behind = sum(max(0, range_.first - positions.get(partition, 0)) for partition, range_ in unread.items())
            if not behind:
                return positions
            if time.monotonic() > until:
                raise ReplayImpossible(
                    f"the live {self._spec.service} has not handled {behind} records of the replay: let it run, "
                    "then repeat the command"
                )
            time.sleep(POLL_INTERVAL_S)

    def _positions(self) -> dict[Partition, int]:
        """Return the positions of the live service, and the ends of the topics that only a replay reads."""
        committed = offsets.committed(self._cluster, self._spec.service)
        with self._live.begin() as tx:
            applied, owned = offsets.applied(tx), offsets.owned(tx)
        read = {topic.name for topic in self._spec.topics}
        live = {
            partition: at
            for partition, at in (offsets.furthest(committed, applied) | owned).items()
            if partition[0] in read
        }
        also_read = {
            partition: range_.end
            for partition, range_ in offsets.offset_ranges(self._cluster, self._spec.also_reads).items()
        }
        return live | also_read

    def _check_not_ahead(self, positions: Mapping[Partition, int]) -> None:
        """Raise ReplayImpossible if the candidate has records that the live service has not handled."""
        ahead = [
            partition
            for partition, range_ in self._replay.unread().items()
            if range_.first > positions.get(partition, 0)
        ]
        if ahead:
            raise ReplayImpossible(
                f"the live {self._spec.service} has not handled records that {self._candidate} has: {ahead}; "
                "let it run, then repeat the command"
            )

    def _publish_outbox(self) -> None:
        """Publish and delete all messages in the outbox of the live schema."""
        publisher = Publisher(self._cluster, while_waiting=lambda: None)
        while True:
            with self._live.begin() as tx:
                rows = [(row_id, outbox.OutboxMessage(*rest)) for row_id, *rest in tx.exec_driver_sql(ALL_OUTBOX)]
            if not rows:
                return
            publisher.publish([message for _, message in rows])
            with self._live.begin() as tx:
                outbox.delete(tx, [row_id for row_id, _ in rows])

    def _swap(self, positions: Mapping[Partition, int]) -> None:
        live, new = quoted(self._name), quoted(self._candidate)
        with schema.live_engine(self._settings.session_url, service="replay").begin() as tx:
            for name in (self._name, self._candidate):
                tables = ", ".join(f"{quoted(name)}.{quoted(table)}" for table in schema.tables(tx, name))
                tx.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
            self._carry_over(tx, live, new)
            self._begin_retired(tx, positions)
            tx.exec_driver_sql(f"ALTER SCHEMA {live} RENAME TO {quoted(self._retired)}")
            tx.exec_driver_sql(f"ALTER SCHEMA {new} RENAME TO {live}")
            contract_views.install(tx, self._spec.package, self._name)

    def _carry_over(self, tx: Connection, live: str, new: str) -> None:
        """Copy the rows that no topic holds, epochs and the decisions of operators, and move the unpublished messages.

        `live` and `new` are quoted names. The search path is `new` afterwards.
        """
        tx.exec_driver_sql(f"DELETE FROM {new}.ownership")  # noqa: S608 - quoted names of our own schema
        tx.exec_driver_sql(f"INSERT INTO {new}.ownership SELECT * FROM {live}.ownership")  # noqa: S608
        tx.exec_driver_sql(SKIP_OUTBOX_IDS, {"new": f"{new}.outbox", "live": f"{live}.outbox"})
        columns = "source_topic, source_partition, topic, key, value"
        tx.exec_driver_sql(f"INSERT INTO {new}.outbox ({columns}) SELECT {columns} FROM {live}.outbox ORDER BY id")  # noqa: S608
        tx.exec_driver_sql(f"DELETE FROM {live}.outbox")  # noqa: S608
        tx.exec_driver_sql(f"SET LOCAL search_path = {new}")
        pausing.carry_over(tx, live)
        self._spec.carry_over(tx, live)

    def _begin_retired(self, tx: Connection, handled: Mapping[Partition, int]) -> None:
        """Store the positions of the retired schema as a finished replay, so that a rollback can promote it."""
        published = offsets.offset_ranges(self._cluster, self._spec.publishes)
        tx.exec_driver_sql(f"SET LOCAL search_path = {quoted(self._name)}")
        ledger.begin(tx, ReplayRequest(self._spec.service, self._candidate))
        tx.exec_driver_sql("UPDATE replay SET name = %(name)s", {"name": self._candidate})
        positions.extend(
            tx, "source", {partition: OffsetRange(offset, offset) for partition, offset in handled.items()}
        )
        positions.move(tx, "source", handled)
        if published:
            positions.extend(
                tx,
                "published",
                {partition: OffsetRange(range_.first, range_.first) for partition, range_ in published.items()},
            )
        ledger.mark_finished(tx)
        ledger.mark_reviewed(tx)


@contextmanager
def takeovers_locked(live: Engine) -> Iterator[None]:
    """Keep workers of this service from acquiring partitions inside the block; those that they own stay theirs.

    If this process dies, Postgres releases the lock. Raises OperationalError when another promotion holds the lock.
    """
    with live.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        session.exec_driver_sql(LOCK, {"key": ownership.PROMOTION})
        try:
            yield
        finally:
            session.exec_driver_sql(UNLOCK, {"key": ownership.PROMOTION})
