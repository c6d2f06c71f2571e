"""Puts one schema in the place of another while the service runs: nothing is lost between the two, nothing done twice.

Workers are held off by an advisory lock that every take-over needs, and fenced by raised epochs. Then the outbox is
published to its end, the new schema brought to exactly where the live one is, and the names are swapped in one
transaction that has every table to itself. Whoever was kept waiting by a lock finds the other table by its name.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from runtime.config.settings import StoreSettings
from stream.kafka.client_config import Cluster
from stream.kafka.position import Partition
from stream.replay import offsets as ends
from stream.replay import schema as place
from stream.replay.fill import ledger
from stream.replay.fill.ledger import Asked
from stream.replay.offsets import OffsetRange
from stream.replay.run import Replay
from stream.replay.schema import quoted
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.store import outbox, ownership
from stream.worker.publisher import Publisher

CAUGHT_UP_S = 60.0
LOOK_S = 0.5
HOLD = "SELECT pg_advisory_lock(%(key)s)"
RELEASE = "SELECT pg_advisory_unlock(%(key)s)"
RAISE = "UPDATE ownership SET epoch = epoch + 1"
ALL_OUTBOX = "SELECT id, source_topic, source_partition, topic, key, value FROM outbox ORDER BY id LIMIT 5000"

# Rows of a worker that has published and not yet deleted them are named by id: none of the new ones may bear it.
BEYOND = """
SELECT setval(pg_get_serial_sequence(%(new)s, 'id'),
              greatest(nextval(pg_get_serial_sequence(%(new)s, 'id')),
                       nextval(pg_get_serial_sequence(%(live)s, 'id'))) + 1000000)
"""

HANDLED = "SELECT EXISTS (SELECT FROM {}.inbox)"
# A worker that lived through the loss may hold an epoch of the lost store, and ids of its outbox: none may come again.
OUT_OF_REACH = "SELECT setval(pg_get_serial_sequence('outbox', 'id'), extract(epoch FROM now())::bigint * 1000)"
YOUNG_EPOCHS = """
INSERT INTO ownership (topic, partition, epoch, next_offset)
SELECT topic, partition, (extract(epoch FROM now()) * 1000)::bigint, next_offset
  FROM replay_progress WHERE purpose = 'source'
ON CONFLICT (topic, partition) DO UPDATE SET epoch = excluded.epoch, next_offset = excluded.next_offset
"""


class Promotion:
    """Puts the schema `candidate` in the place of the live one, which is called `retired` from then on."""

    def __init__(
        self, subject: ReplaySpec, settings: StoreSettings, live: Engine, candidate: str, retired: str
    ) -> None:
        self._subject = subject
        self._settings = settings
        self._cluster = Cluster.of(settings, subject.service)
        self._live = live
        self._name = place.live(live)
        self._candidate = candidate
        self._retired = retired
        self._store = place.within(settings.session_url, candidate, service="replay")
        self._replay = Replay(subject, settings, self._store)

    def promote(self) -> None:
        """Do it, and return when the candidate is live.

        Raises Impossible when the live service is too far behind, or its tables cannot be had.
        """
        self.follow()
        with held(self._live):
            with self._live.begin() as tx:
                tx.exec_driver_sql(RAISE)
            self._empty_outbox()
            at = self._positions()
            self._replay.go_to(at)
            self._insist(at)
            self._swap(at)

    def follow(self) -> None:
        """Bring the candidate to where the live service is."""
        self._replay.resume()
        self._replay.go_to(self._followed())

    def _followed(self) -> dict[Partition, int]:
        """Where the live service is, once it is no longer behind the candidate."""
        until = time.monotonic() + CAUGHT_UP_S
        while True:
            at, places = self._positions(), self._replay.places()
            behind = sum(max(0, span.first - at.get(where, 0)) for where, span in places.items())
            if not behind:
                return at
            if time.monotonic() > until:
                raise ReplayImpossible(
                    f"the live {self._subject.service} has yet to handle {behind} records: let it run"
                )
            time.sleep(LOOK_S)

    def _positions(self) -> dict[Partition, int]:
        """How far the live service is, and where the topics end that only a replay reads."""
        done = ends.committed(self._cluster, self._subject.service)
        with self._live.begin() as tx:
            applied, owned = ends.applied(tx), ends.owned(tx)
        read = {topic.name for topic in self._subject.topics}
        live = {where: at for where, at in (ends.furthest(done, applied) | owned).items() if where[0] in read}
        beside = {where: span.end for where, span in ends.spans(self._cluster, self._subject.also_reads).items()}
        return live | beside

    def _insist(self, at: Mapping[Partition, int]) -> None:
        ahead = [where for where, span in self._replay.places().items() if span.first > at.get(where, 0)]
        if ahead:
            raise ReplayImpossible(
                f"the live {self._subject.service} has yet to handle what {self._candidate} has: {ahead}"
            )

    def _empty_outbox(self) -> None:
        publisher = Publisher(self._cluster, while_waiting=lambda: None)
        while True:
            with self._live.begin() as tx:
                rows = [(row_id, outbox.Message(*rest)) for row_id, *rest in tx.exec_driver_sql(ALL_OUTBOX)]
            if not rows:
                return
            publisher.publish([message for _, message in rows])
            with self._live.begin() as tx:
                outbox.delete(tx, [row_id for row_id, _ in rows])

    def _swap(self, at: Mapping[Partition, int]) -> None:
        live, new = quoted(self._name), quoted(self._candidate)
        with place.patient(self._settings.session_url, service="replay").begin() as tx:
            for schema in (self._name, self._candidate):
                every = ", ".join(f"{quoted(schema)}.{quoted(table)}" for table in place.tables(tx, schema))
                tx.exec_driver_sql(f"LOCK TABLE {every} IN ACCESS EXCLUSIVE MODE")
            self._carry_over(tx, live, new)
            self._remember(tx, at)
            tx.exec_driver_sql(f"ALTER SCHEMA {live} RENAME TO {quoted(self._retired)}")
            tx.exec_driver_sql(f"ALTER SCHEMA {new} RENAME TO {live}")

    def _carry_over(self, tx: Connection, live: str, new: str) -> None:
        """What is of the service and not of its topics: epochs, what was not yet told, what people decided."""
        tx.exec_driver_sql(f"DELETE FROM {new}.ownership")  # noqa: S608 - names of ours, quoted
        tx.exec_driver_sql(f"INSERT INTO {new}.ownership SELECT * FROM {live}.ownership")  # noqa: S608
        tx.exec_driver_sql(BEYOND, {"new": f"{new}.outbox", "live": f"{live}.outbox"})
        columns = "source_topic, source_partition, topic, key, value"
        tx.exec_driver_sql(f"INSERT INTO {new}.outbox ({columns}) SELECT {columns} FROM {live}.outbox ORDER BY id")  # noqa: S608
        tx.exec_driver_sql(f"DELETE FROM {live}.outbox")  # noqa: S608
        tx.exec_driver_sql(f"SET LOCAL search_path = {new}")
        self._subject.carry_over(tx, live)

    def _remember(self, tx: Connection, at: Mapping[Partition, int]) -> None:
        """Let the retired schema know where it stands, so that it can be brought forward and put back."""
        told = ends.spans(self._cluster, self._subject.publishes)
        tx.exec_driver_sql(f"SET LOCAL search_path = {quoted(self._name)}")
        ledger.begin(tx, Asked(self._subject.service, self._candidate))
        tx.exec_driver_sql("UPDATE replay SET name = %(name)s", {"name": self._candidate})
        ledger.extend(tx, "source", {where: OffsetRange(offset, offset) for where, offset in at.items()})
        ledger.move(tx, "source", at)
        if told:
            ledger.extend(tx, "told", {where: OffsetRange(span.first, span.first) for where, span in told.items()})
        ledger.finish(tx)
        ledger.look(tx)


def is_lost(tx: Connection, name: str) -> bool:
    """Whether a store was lost: its tables are gone, or hold nothing."""
    return "inbox" not in place.tables(tx, name) or not tx.exec_driver_sql(HANDLED.format(quoted(name))).scalar()


def bring_in(live: Engine, name: str, rebuilt: str) -> None:
    """Put a rebuilt schema in the place of the lost one.

    Raises Impossible when the live one is not empty any more.
    """
    with live.begin() as tx:
        every = [f"{quoted(name)}.{quoted(table)}" for table in place.tables(tx, name)]
        if every:
            tx.exec_driver_sql(f"LOCK TABLE {', '.join(every)} IN ACCESS EXCLUSIVE MODE")
        if not is_lost(tx, name):
            raise ReplayImpossible(f"somebody has written to {name} meanwhile")
        tx.exec_driver_sql(f"SET LOCAL search_path = {quoted(rebuilt)}")
        tx.exec_driver_sql(OUT_OF_REACH)
        tx.exec_driver_sql(YOUNG_EPOCHS)
        tx.exec_driver_sql(f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE")
        tx.exec_driver_sql(f"ALTER SCHEMA {quoted(rebuilt)} RENAME TO {quoted(name)}")


@contextmanager
def held(live: Engine) -> Iterator[None]:
    """Nobody takes a partition of this service over meanwhile; a promotion that dies lets go."""
    with live.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        session.exec_driver_sql(HOLD, {"key": ownership.PROMOTION})
        try:
            yield
        finally:
            session.exec_driver_sql(RELEASE, {"key": ownership.PROMOTION})
