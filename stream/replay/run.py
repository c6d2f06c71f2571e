"""One replay from beginning to end: note what is asked, read the topics, try what failed again, know what is owed."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Engine

from runtime.config.settings import StoreSettings
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.kafka.client_config import Cluster
from stream.kafka.position import Partition
from stream.replay import offsets as ends
from stream.replay.fill import ledger, publications
from stream.replay.fill.filler import Filler
from stream.replay.fill.ledger import Asked, Owed, Run
from stream.replay.offsets import OffsetRange
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.store import inbox, outbox

Fill = Callable[[Filler], None]
"""How a store is filled to the ends that were noted."""

KNOW_ALIASES = """
INSERT INTO inbox (event_id, digest, topic, partition, "offset", outcome)
SELECT event_id, digest, topic, partition, "offset", 'processed' FROM replay_aliases ON CONFLICT DO NOTHING
"""


class Replay:
    """One service's store, rebuilt in the schema that `store` finds; `fill` decides how."""

    def __init__(self, subject: ReplaySpec, settings: StoreSettings, store: Engine, fill: Fill = Filler.fill) -> None:
        self._subject = subject
        self._settings = settings
        self._cluster = Cluster.of(settings, subject.service)
        self._store = store
        self._fill = fill
        self._codec = Codec(registry(settings))
        self._asked = Asked(subject.service, "")

    def begin(self, asked: Asked, most: Mapping[Partition, int] | None = None) -> Run:
        """Note what is asked and where the topics end, or go on with what was begun; `most` may let some end sooner.

        Raises Impossible when something else was asked of this schema before.
        """
        to_ms = int(asked.to_time.timestamp() * 1000) if asked.to_time else None
        subject = self._subject
        source = ends.spans(self._cluster, (*subject.topics, *subject.also_reads), to_ms)
        source = {where: OffsetRange(one.first, (most or {}).get(where, one.end)) for where, one in source.items()}
        told = ends.spans(self._cluster, subject.publishes)
        with self._store.begin() as tx:
            begun = ledger.begin(tx, asked)
            if begun.asked != asked:
                raise ReplayImpossible(
                    f"{asked.name} holds another replay ({_words(begun.asked)}): drop it, or name another"
                )
            if not ledger.places(tx, "source"):
                ledger.extend(tx, "source", source)
                ledger.extend(tx, "told", told)
        self._asked = begun.asked
        return begun

    def resume(self) -> Run:
        """Go on with what was begun in this schema."""
        with self._store.begin() as tx:
            begun = ledger.run(tx)
        self._asked = begun.asked
        return begun

    def places(self) -> dict[Partition, OffsetRange]:
        """What is still to be read of each partition."""
        with self._store.begin() as tx:
            return ledger.places(tx, "source")

    def go_to(self, positions: Mapping[Partition, int]) -> None:
        """Replay up to these offsets, then whatever failed on the way."""
        with self._store.begin() as tx:
            ledger.extend(tx, "source", {where: OffsetRange(0, offset) for where, offset in positions.items()})
        self.run()

    def live_on(self) -> None:
        """Replay to the topics' ends what the live service has not been through: what follows from it is to be told.

        What fails is tried again by the service itself.
        """
        subject = self._subject
        found = ends.spans(self._cluster, (*subject.topics, *subject.also_reads))
        with self._store.begin() as tx:
            ledger.extend(tx, "source", {where: OffsetRange(0, span.end) for where, span in found.items()})
        self.hear()
        self._fill(Filler(subject, self._settings, self._store, self._asked, keep=_tell))
        with self._store.begin() as tx:  # the group's offsets are seconds old: a person may have dismissed these too
            publications.read_dismissed(tx, self._cluster, self._codec, subject.service)

    def run(self) -> None:
        """Replay up to the ends that were noted, then whatever failed on the way; what is owed is known after it."""
        self.hear()
        filling = Filler(self._subject, self._settings, self._store, self._asked)
        self._fill(filling)
        while filling.try_again():
            pass
        self._end()

    def hear(self) -> None:
        """Note which facts stand on the service's own topics by now."""
        if not self._subject.publishes:
            return
        found = ends.spans(self._cluster, self._subject.publishes)
        with self._store.begin() as tx:
            ledger.extend(tx, "told", found)
            publications.read_told(tx, self._cluster, self._codec)

    def _end(self) -> None:
        with self._store.begin() as tx:
            inbox.abandon_overdue(tx, list(ledger.places(tx, "source")), self._settings.wait_limit_s)
            tx.exec_driver_sql(KNOW_ALIASES)
            publications.read_dismissed(tx, self._cluster, self._codec, self._subject.service)
            self._subject.settle(tx)
            ledger.finish(tx)
        self.hear()


def _tell(tx: Connection, facts: Sequence[Owed]) -> None:
    outbox.insert(tx, [one.message for one in facts])


def _words(asked: Asked) -> str:
    parts = [f"--to {asked.to_time.isoformat()}" if asked.to_time else "", "--retranslate" if asked.retranslate else ""]
    orders = f"--orders {','.join(asked.orders)}" if asked.orders else ""
    return " ".join(filter(None, [*parts, orders])) or "of everything"
