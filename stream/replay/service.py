"""The operations on the replays of one service: fill, compare, promote, roll back, rebuild, drop, publish."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Engine

from runtime import clock
from runtime.config.worker_settings import WorkerSettings
from runtime.postgres.engine import engine
from stream.kafka.cluster import Cluster
from stream.replay import diff, history, offsets, schema
from stream.replay.diff import Difference
from stream.replay.fill import ledger
from stream.replay.fill.filler import Filler
from stream.replay.fill.ledger import OwedEvent, ReplayRequest
from stream.replay.lost_store import is_lost, replace_lost
from stream.replay.progress import fill_with_progress
from stream.replay.promote import Promotion, takeovers_locked
from stream.replay.run import Fill, Replay
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.worker.publishing.publisher import Publisher

MAX_COMPARISONS = 4
"""The most times that `difference` catches up and compares again, since the live store goes on meanwhile."""


class ReplayService:
    """The live store of a service and the replayed schemas beside it.

    All methods commit what they do. They raise ReplayImpossible when the operation is not possible as requested,
    SQLAlchemyError when the store fails, KafkaException when Kafka does not answer, and RegistryError when a remote
    schema registry fails.
    """

    def __init__(self, spec: ReplaySpec, settings: WorkerSettings) -> None:
        self.spec = spec
        self.settings = settings
        self.live = schema.live_engine(settings.session_url, service="replay")

    def replay(self, request: ReplayRequest) -> None:
        """Begin or resume the requested replay, and finish it; show its progress on standard error."""
        self._replay(request, fill_with_progress)

    def _replay(self, request: ReplayRequest, fill: Fill) -> None:
        schema.check_name(self.live, request.name)
        store = self._engine(request.name)
        with engine(self.settings.session_url, service="replay").connect() as lock:
            schema.lock(lock, request.name)
            self._check_unused_or_replay(request.name)
            schema.create(self.settings.session_url, request.name, self.spec.package, self.live)
            replay = Replay(self.spec, self.settings, store, fill)
            replay.begin(request)
            replay.run()

    def difference(self, name: str, most: int) -> tuple[Difference, list[OwedEvent]]:
        """Return the difference of the schema from the live one, with at most `most` rows, and all owed events.

        If they differ, a full replay catches up with the live store and is compared again. The present is stored as the
        time when the difference was shown, as `promote` requires.
        """
        self._check_is_replay(name)
        store, live = self._engine(name), schema.live_name(self.live)
        replay = Replay(self.spec, self.settings, store)
        run = replay.resume()
        if run.finished_at is None:
            raise ReplayImpossible(f"the replay into {name} is not finished: run the same command again to resume it")
        found = self._compare(live, name, most)
        for _ in range(MAX_COMPARISONS):
            if not run.request.is_full or not _differs(found):
                break
            Promotion(self.spec, self.settings, self.live, name, name).catch_up()
            found = self._compare(live, name, most)
        with store.begin() as tx:
            ledger.mark_reviewed(tx)
            return found, ledger.owed(tx)

    def promote(self, name: str) -> None:
        """Make the schema `name` the live one; the schema that was live until then gets the name `retired_name`.

        The replay must be full and finished, and its difference must have been shown.
        """
        self._check_is_replay(name)
        with self._engine(name).begin() as tx:
            run = ledger.load(tx)
        if not run.request.is_full:
            raise ReplayImpossible(
                f"{name} holds a part of the events (--to, --orders): only a full replay can be promoted"
            )
        if run.finished_at is None:
            raise ReplayImpossible(f"the replay into {name} is not finished: run the same command again to resume it")
        if run.reviewed_at is None:
            raise ReplayImpossible(f"the difference of {name} was not reviewed: run `hookstream replay diff` first")
        self._swap(name, self.retired_name)

    def rollback(self) -> str:
        """Make the schema that the last promotion replaced the live one again, after replaying what it lacks.

        Return the name of the schema that was promoted, which it gets back.
        """
        if not schema.exists(self.live, self.retired_name):
            raise ReplayImpossible(f"there is no {self.retired_name}: nothing was promoted, or it was dropped")
        with self._engine(self.retired_name).begin() as tx:
            name = ledger.load(tx).request.name
        self._swap(self.retired_name, name)
        return name

    def rebuild(self) -> None:
        """Rebuild a lost store beside it, and put it in its place.

        Records that the service had handled, by its committed offsets, are replayed without publishing. The domain
        events of later records go to the outbox, unless they are on their topics already; the service publishes them.
        """
        live, name = schema.live_name(self.live), f"{self.spec.service}_rebuilt"
        with self.live.connect() as tx:
            lost = is_lost(tx, live)
        if not lost:
            raise ReplayImpossible(
                f"the store of {self.spec.service} is not lost: `replay --into NAME` rebuilds beside it"
            )
        with engine(self.settings.session_url, service="replay").connect() as lock, takeovers_locked(self.live):
            schema.lock(lock, name)
            schema.create(self.settings.session_url, name, self.spec.package, self.live)
            replay = Replay(self.spec, self.settings, self._engine(name), fill_with_progress)
            cluster, service = Cluster.of(self.settings, self.spec.service), self.spec.service
            positions = offsets.group_positions(offsets.committed(cluster, service), self.spec.topics)
            begun = replay.begin(ReplayRequest(service, name), positions)
            if begun.finished_at is None:
                replay.run()
            replay.run_to_end()
            replace_lost(self.live, live, name)

    def history(self, order: str, at: datetime | None) -> list[tuple[str, dict[str, object]]]:
        """Return the rows of an order as they were at the time `at` (None: now), as pairs of table and columns.

        They are from a replay of this order alone, whose schema is dropped afterwards. History tables come first. The
        result is empty if the topics have no record of the order.
        """
        digest = sha256(f"{order} {at} {clock.now()}".encode()).hexdigest()
        name = f"history_{digest[:16]}"
        try:
            self._replay(ReplayRequest(self.spec.service, name, at, (order,)), Filler.fill)
            with self._engine(name).connect() as tx:
                return history.rows(tx, name, order)
        finally:
            if schema.exists(self.live, name):
                schema.drop(self.live, name)

    def drop(self, name: str) -> None:
        """Drop the schema of a replay, or the one that a promotion retired.

        Raises ReplayImpossible for any other schema, and while another command is at work in it.
        """
        with engine(self.settings.session_url, service="replay").connect() as lock:
            schema.lock(lock, name)
            self._check_is_replay(name)
            schema.drop(self.live, name)

    def publish_owed(self, name: str) -> int:
        """Publish the schema's owed events (domain events of its replay that are on no topic); return their number.

        They are owed no longer afterwards. If the store fails after Kafka has them, they stay owed, and the
        next call publishes them again.
        """
        store = self._engine(name)
        with store.begin() as tx:
            owed = ledger.owed(tx)
        publisher = Publisher(Cluster.of(self.settings, self.spec.service), while_waiting=lambda: None)
        publisher.publish([event.message for event in owed])
        with store.begin() as tx:
            ledger.add_published(tx, [event.event_id for event in owed])
            ledger.delete_published_owed(tx)
        return len(owed)

    @property
    def retired_name(self) -> str:
        """The name that a promotion gives to the schema that was live until then."""
        return f"{schema.live_name(self.live)}_before"

    def _swap(self, candidate: str, retired: str) -> None:
        if schema.exists(self.live, retired):
            raise ReplayImpossible(
                f"{retired} exists already: run `replay drop {retired}` first, if it is no longer needed"
            )
        with engine(self.settings.session_url, service="replay").connect() as lock:
            schema.lock(lock, candidate)
            self._check_exists(candidate)
            Promotion(self.spec, self.settings, self.live, candidate, retired).promote()

    def _compare(self, live: str, name: str, most: int) -> Difference:
        with self.live.connect().execution_options(isolation_level="REPEATABLE READ") as tx:
            return diff.compare(tx, live, name, self.spec, most)

    def _check_exists(self, name: str) -> None:
        if not schema.exists(self.live, name) or name == schema.live_name(self.live):
            raise ReplayImpossible(f"there is no replay {name} of {self.spec.service}")

    def _check_is_replay(self, name: str) -> None:
        self._check_exists(name)
        if not self._is_replay(name):
            raise ReplayImpossible(f"{name} was not made by a replay")

    def _check_unused_or_replay(self, name: str) -> None:
        """Raise ReplayImpossible for a schema of other tables, because dropping the replay would drop them.

        A replay that was killed early has left the tables of the service and no row in the table `replay`.
        """
        found = _tables(self.live, name)
        if found and "inbox" not in found:
            raise ReplayImpossible(f"{name} exists already and was not made by a replay; choose another name")

    def _is_replay(self, name: str) -> bool:
        if "replay" not in _tables(self.live, name):
            return False
        with self._engine(name).connect() as tx:
            return ledger.exists(tx)

    def _engine(self, name: str) -> Engine:
        return schema.schema_engine(self.settings.session_url, name, service="replay")


def _tables(store: Engine, name: str) -> list[str]:
    with store.connect() as tx:
        return schema.tables(tx, name)


def _differs(found: Difference) -> bool:
    return not all(table.is_equal for table in found.tables)
