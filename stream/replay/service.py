"""What is done about replays of one service: fill a schema, compare it, put it in the live one's place, and back."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine

from runtime import clock
from runtime.config.settings import StoreSettings
from runtime.postgres.engine import engine
from stream.kafka.client_config import Cluster
from stream.replay import diff as difference
from stream.replay import history
from stream.replay import offsets as ends
from stream.replay import schema as place
from stream.replay.diff import Difference
from stream.replay.fill import ledger
from stream.replay.fill.filler import Filler
from stream.replay.fill.ledger import Asked, Owed
from stream.replay.progress import watched
from stream.replay.promote import Promotion, bring_in, held, is_lost
from stream.replay.run import Fill, Replay
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.worker.publisher import Publisher

PASSES = 4


class ReplayService:
    """A service's live store, and what is done beside it."""

    def __init__(self, subject: ReplaySpec, settings: StoreSettings) -> None:
        self.subject = subject
        self.settings = settings
        self.live = place.patient(settings.session_url, service="replay")

    def replay(self, asked: Asked) -> None:
        """Fill the schema that is asked for, from where it was left, and show how far that is."""
        self._replay(asked, watched)

    def _replay(self, asked: Asked, fill: Fill) -> None:
        place.check(self.live, asked.name)
        store = self._within(asked.name)
        with engine(self.settings.session_url, service="replay").connect() as lock:
            place.alone(lock, asked.name)
            self._refuse_another_s(asked.name)
            place.create(self.settings.session_url, asked.name, self.subject.package, self.live)
            replay = Replay(self.subject, self.settings, store, fill)
            replay.begin(asked)
            replay.run()

    def difference(self, name: str, most: int) -> tuple[Difference, list[Owed]]:
        """How the schema differs from the live one, once it is where that is; looking at it is noted."""
        self._need(name)
        store, live = self._within(name), place.live(self.live)
        replay = Replay(self.subject, self.settings, store)
        run = replay.resume()
        if run.finished_at is None:
            raise ReplayImpossible(f"the replay into {name} is not done: give its command again, and it goes on")
        found = self._compare(live, name, most)
        for _ in range(PASSES):
            if not run.asked.is_full or not _differs(found):
                break
            Promotion(self.subject, self.settings, self.live, name, name).follow()
            found = self._compare(live, name, most)
        with store.begin() as tx:
            ledger.look(tx)
            return found, ledger.owed(tx)

    def promote(self, name: str) -> None:
        """Put the schema in the live one's place."""
        self._need(name)
        with self._within(name).begin() as tx:
            run = ledger.run(tx)
        if not run.asked.is_full:
            raise ReplayImpossible(
                f"{name} holds a part of the events (--to, --orders): only a full replay can be promoted"
            )
        if run.finished_at is None:
            raise ReplayImpossible(f"the replay into {name} is not done: give its command again, and it goes on")
        if run.looked_at is None:
            raise ReplayImpossible(f"nobody has looked at how {name} differs: see `hookstream replay diff` first")
        self._swap(name, self.before)

    def rollback(self) -> str:
        """Put back what the last promotion replaced; the name that the promoted one bears from now on."""
        if not place.exists(self.live, self.before):
            raise ReplayImpossible(f"there is no {self.before}: nothing was promoted, or it was dropped")
        with self._within(self.before).begin() as tx:
            name = ledger.run(tx).asked.name
        self._swap(self.before, name)
        return name

    def rebuild(self) -> None:
        """Bring back a store that was lost: up to where the service was, with nothing told; from there on as ever."""
        live, name = place.live(self.live), f"{self.subject.service}_rebuilt"
        with self.live.connect() as tx:
            lost = is_lost(tx, live)
        if not lost:
            raise ReplayImpossible(
                f"the store of {self.subject.service} is not lost: `replay --into NAME` rebuilds beside it"
            )
        with engine(self.settings.session_url, service="replay").connect() as lock, held(self.live):
            place.alone(lock, name)
            place.create(self.settings.session_url, name, self.subject.package, self.live)
            replay = Replay(self.subject, self.settings, self._within(name), watched)
            cluster, service = Cluster.of(self.settings, self.subject.service), self.subject.service
            most = ends.been_through(ends.committed(cluster, service), self.subject.topics)
            begun = replay.begin(Asked(service, name), most)
            if begun.finished_at is None:
                replay.run()
            replay.live_on()
            bring_in(self.live, live, name)

    def history(self, order: str, at: datetime | None) -> list[tuple[str, dict[str, Any]]]:
        """The rows of an order as the topics tell them up to a time: table and columns, what was applied first."""
        digest = sha256(f"{order} {at} {clock.now()}".encode()).hexdigest()
        name = f"history_{digest[:16]}"
        try:
            self._replay(Asked(self.subject.service, name, at, (order,)), Filler.fill)
            with self._within(name).connect() as tx:
                return history.rows(tx, name, order)
        finally:
            if place.exists(self.live, name):
                place.drop(self.live, name)

    def drop(self, name: str) -> None:
        """Remove a replayed schema, or what a promotion replaced; not while it is being filled, or put in its place."""
        with engine(self.settings.session_url, service="replay").connect() as lock:
            place.alone(lock, name)
            self._need(name)
            if "replay" not in _tables(self.live, name):
                raise ReplayImpossible(f"{name} was not made by a replay")
            place.drop(self.live, name)

    def announce(self, schema: str) -> int:
        """Publish the facts that are owed; how many these were."""
        store = self._within(schema)
        with store.begin() as tx:
            owed = ledger.owed(tx)
        publisher = Publisher(Cluster.of(self.settings, self.subject.service), while_waiting=lambda: None)
        publisher.publish([one.message for one in owed])
        with store.begin() as tx:
            ledger.hear(tx, [one.fact_id for one in owed])
            ledger.settle_owed(tx)
        return len(owed)

    @property
    def before(self) -> str:
        """The schema that a promotion puts aside."""
        return f"{place.live(self.live)}_before"

    def _swap(self, candidate: str, retired: str) -> None:
        if place.exists(self.live, retired):
            raise ReplayImpossible(f"{retired} is there already: `replay drop {retired}` first, if nobody needs it")
        with engine(self.settings.session_url, service="replay").connect() as lock:
            place.alone(lock, candidate)
            self._need(candidate)
            Promotion(self.subject, self.settings, self.live, candidate, retired).promote()

    def _compare(self, live: str, name: str, most: int) -> Difference:
        with self.live.connect().execution_options(isolation_level="REPEATABLE READ") as tx:
            return difference.compare(tx, live, name, self.subject, most)

    def _need(self, name: str) -> None:
        if not place.exists(self.live, name) or name == place.live(self.live):
            raise ReplayImpossible(f"there is no replay {name} of {self.subject.service}")

    def _refuse_another_s(self, name: str) -> None:
        """What is dropped with a replay must be its own. One that was killed early has its tables and no more."""
        found = _tables(self.live, name)
        if found and not {"replay", "inbox"} & set(found):
            raise ReplayImpossible(f"{name} is there already, and was not made by a replay; choose another name")

    def _within(self, name: str) -> Engine:
        return place.within(self.settings.session_url, name, service="replay")


def _tables(store: Engine, schema: str) -> list[str]:
    with store.connect() as tx:
        return place.tables(tx, schema)


def _differs(found: Difference) -> bool:
    return not all(table.is_equal for table in found.tables)
