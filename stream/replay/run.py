"""One replay: stores the request, reads the topics, retries failed events, and determines the owed events.

An owed event is a domain event that the replay made and that is on no topic.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Engine

from runtime.config.worker_settings import WorkerSettings
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.kafka.cluster import Cluster
from stream.kafka.position import Partition
from stream.replay.fill import ledger, positions, publications
from stream.replay.fill.filler import Filler
from stream.replay.fill.ledger import OwedEvent, ReplayRequest, ReplayRun
from stream.replay.offsets import OffsetRange, offset_ranges
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.store import outbox, waiting

Fill = Callable[[Filler], None]
"""Runs a filler: `Filler.fill`, or a function that also shows its progress."""

INSERT_ALIASES = """
INSERT INTO inbox (event_id, digest, topic, partition, "offset", outcome)
SELECT event_id, digest, topic, partition, "offset", 'processed' FROM replay_aliases ON CONFLICT DO NOTHING
"""


class Replay:
    """Rebuilds the store of one service in the schema of `store`. `begin` or `resume` it first.

    Its methods commit what they do, in transactions of their own.
    """

    def __init__(self, spec: ReplaySpec, settings: WorkerSettings, store: Engine, fill: Fill = Filler.fill) -> None:
        self._spec = spec
        self._settings = settings
        self._cluster = Cluster.of(settings, spec.service)
        self._store = store
        self._fill = fill
        self._codec = Codec(registry(settings))
        self._request = ReplayRequest(spec.service, "")

    def begin(self, request: ReplayRequest, ends: Mapping[Partition, int] | None = None) -> ReplayRun:
        """Store the request and the present ends of the topics; return the replay.

        For partitions in `ends`, the end is the offset there instead. If an equal request is stored already, that
        replay goes on, with the ends stored then. Raises ReplayImpossible when the schema holds another request.
        """
        to_ms = int(request.to_time.timestamp() * 1000) if request.to_time else None
        spec = self._spec
        source = offset_ranges(self._cluster, (*spec.topics, *spec.also_reads), to_ms)
        source = {
            partition: OffsetRange(range_.first, (ends or {}).get(partition, range_.end))
            for partition, range_ in source.items()
        }
        published = offset_ranges(self._cluster, spec.publishes)
        with self._store.begin() as tx:
            begun = ledger.begin(tx, request)
            if begun.request != request:
                raise ReplayImpossible(
                    f"{request.name} holds another replay ({_options(begun.request)}): drop it, or use another name"
                )
            if not positions.unread(tx, "source"):
                positions.extend(tx, "source", source)
                positions.extend(tx, "published", published)
        self._request = begun.request
        return begun

    def resume(self) -> ReplayRun:
        """Load and return the replay that was begun in this schema. Raises NoResultFound when none was begun."""
        with self._store.begin() as tx:
            begun = ledger.load(tx)
        self._request = begun.request
        return begun

    def unread(self) -> dict[Partition, OffsetRange]:
        """Return the unread offsets up to the stored end of each partition; the range is empty if all are read."""
        with self._store.begin() as tx:
            return positions.unread(tx, "source")

    def run_to(self, until: Mapping[Partition, int]) -> None:
        """Raise the stored ends to these offsets where they are lower, and `run`."""
        with self._store.begin() as tx:
            positions.extend(tx, "source", {partition: OffsetRange(0, offset) for partition, offset in until.items()})
        self.run()

    def run_to_end(self) -> None:
        """Replay the rest of the topics, the records that the live service has not handled, as the service would.

        Their owed events go to the outbox, from which the service publishes them. Failed events are left for the
        service to retry.
        """
        spec = self._spec
        found = offset_ranges(self._cluster, (*spec.topics, *spec.also_reads))
        with self._store.begin() as tx:
            positions.extend(
                tx, "source", {partition: OffsetRange(0, range_.end) for partition, range_ in found.items()}
            )
        self.read_published()
        self._fill(Filler(spec, self._settings, self._store, self._request, on_owed=_queue))
        # Committed offsets are seconds old, so an operator may have dismissed some of these events.
        with self._store.begin() as tx:
            publications.read_dismissed(tx, self._cluster, self._codec, spec.service)

    def run(self) -> None:
        """Replay up to the stored ends, retry failed events until none is retrying, and store the owed events.

        At the end `ReplaySpec.on_finish` is called, and the replay is marked as finished.
        """
        self.read_published()
        filler = Filler(self._spec, self._settings, self._store, self._request)
        self._fill(filler)
        while filler.retry():
            pass
        self._finish()

    def read_published(self) -> None:
        """Store the ids of the domain events that are on the service's own topics by now; they are owed no longer."""
        if not self._spec.publishes:
            return
        found = offset_ranges(self._cluster, self._spec.publishes)
        with self._store.begin() as tx:
            positions.extend(tx, "published", found)
            publications.read_published(tx, self._cluster, self._codec)

    def _finish(self) -> None:
        with self._store.begin() as tx:
            waiting.mark_overdue(tx, list(positions.unread(tx, "source")), self._settings.wait_limit_s)
            tx.exec_driver_sql(INSERT_ALIASES)
            publications.read_dismissed(tx, self._cluster, self._codec, self._spec.service)
            self._spec.on_finish(tx)
            ledger.mark_finished(tx)
        self.read_published()


def _queue(tx: Connection, events: Sequence[OwedEvent]) -> None:
    outbox.insert(tx, [event.message for event in events])


def _options(request: ReplayRequest) -> str:
    """Return the command-line options of a request; `of everything` if it has none."""
    to_time = f"--to {request.to_time.isoformat()}" if request.to_time else ""
    retranslate = "--retranslate" if request.retranslate else ""
    orders = f"--orders {','.join(request.orders)}" if request.orders else ""
    return " ".join(filter(None, (to_time, retranslate, orders))) or "of everything"
