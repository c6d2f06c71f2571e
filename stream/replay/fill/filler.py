"""Fills a schema from the topics with the service's own handler. Each batch moves the positions in its transaction."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from confluent_kafka import Message
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from runtime.config.worker_settings import WorkerSettings
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.events import EventId
from stream.kafka import delivery
from stream.kafka.cluster import Cluster
from stream.kafka.delivery import Delivery, UnreadableRecord
from stream.kafka.position import Partition
from stream.replay.fill import ledger, parallel, positions, publications
from stream.replay.fill.ledger import OwedEvent, ReplayRequest
from stream.replay.fill.order_aliases import OrderAliases
from stream.replay.fill.ordered_reader import OrderedReader
from stream.replay.fill.parallel import ProgressBarrier, ProgressCallback
from stream.replay.fill.positions import PositionMoved
from stream.replay.fill.publications import CollectedPublications
from stream.replay.fill.retranslation import Retranslation
from stream.replay.offsets import OffsetRange, offset_ranges
from stream.replay.spec import ReplaySpec
from stream.store import error_classification, retrying
from stream.worker import batch, bisection, retries
from stream.worker.batch import Applied
from stream.worker.bisection import BatchFailed

SCANNED_AT_ONCE = 5000
"""The most records to read at once while aliases are collected."""
MAX_RETRIED_AT_ONCE = 500
"""The most failed events that one call of `retry` handles."""
TRANSIENT = ("40P01", "40001")
"""SQLSTATEs of a deadlock and of a failed serialization: another process of the replay was first; read on again."""
OwedHandler = Callable[[Connection, Sequence[OwedEvent]], None]
"""Stores the owed events of a batch (domain events that are on no topic), in the transaction of the batch."""

# The event waits since its record was appended, as long as it has waited in the live service.
SINCE = """
UPDATE inbox SET handled_at = to_timestamp(since.ms / 1e3)
  FROM unnest(%(ids)b::text[]::uuid[], %(times)b::bigint[]) AS since (event_id, ms)
 WHERE inbox.event_id = since.event_id
"""
RETRY_NOW = "UPDATE retries SET next_attempt_at = now() WHERE status = 'retrying'"


class Filler:
    """Applies the requested records of one service's topics to `store`, whose search path is the schema to fill.

    `on_owed` stores the owed events of each batch. `on_progress` is called with the next offsets after each batch.
    """

    def __init__(
        self,
        spec: ReplaySpec,
        settings: WorkerSettings,
        store: Engine,
        request: ReplayRequest,
        on_owed: OwedHandler = ledger.add_owed,
    ) -> None:
        self._spec = spec
        self._cluster = Cluster.of(settings, spec.service)
        self._first_wait_s = settings.retry_first_s
        self._batch_size = settings.replay_batch_size
        self._processes = settings.replay_processes if spec.is_by_partition and not request.orders else 1
        self._part = 0
        self._parts = 1
        self._barrier: ProgressBarrier | None = None
        self._store = store
        self._on_owed = on_owed
        self._aliases = OrderAliases(request.orders) if request.orders else None
        self._plain_codec = Codec(registry(settings))
        self._retranslation = Retranslation(spec.retranslate)
        self._codec = Codec(registry(settings), self._retranslation.apply) if request.retranslate else self._plain_codec
        self._at: dict[Partition, int] = {}
        self.on_progress: ProgressCallback = lambda _: None

    def fill(self) -> None:
        """Apply the unread records up to the stored ends; return when all are applied and committed.

        If the spec allows parallel processes, there is one for each full batch of unread records, up to the setting.
        Raises ReplayImpossible when a partition cannot be read or a process ends early.
        """
        if self._aliases:
            self._collect_aliases(self._aliases)
        count = min(self._processes, self._count() // self._batch_size)
        if count > 1:  # with less than a batch each, starting processes costs more than they save
            parallel.run(count, partial(self._fill_part, count), self.on_progress)
        self._fill()

    def _fill_part(self, count: int, part: int, barrier: ProgressBarrier, on_progress: ProgressCallback) -> None:
        """Fill from the partitions whose number modulo `count` is `part`. Runs in a forked process.

        All records of a key are in partitions of one number, so a part has the records of its keys from every topic.
        """
        self._store.dispose(close=False)  # the connections belong to the parent
        self._part, self._parts, self._barrier, self.on_progress = part, count, barrier, on_progress
        self._fill()

    def _fill(self) -> None:
        while unread := self.unread():
            self._at = {partition: range_.first for partition, range_ in unread.items()}
            try:
                with OrderedReader(self._cluster, unread) as reader:
                    while messages := reader.next_batch(self._batch_size):
                        self._apply(messages)
            except PositionMoved:  # by the last batch of a killed process; continue after it
                continue
            except DBAPIError as failure:
                if error_classification.sqlstate(failure) not in TRANSIENT:
                    raise
                continue
            with self._store.begin() as tx:  # the last records may be missing, such as expired ones
                positions.advance(tx, self._at, {partition: unread[partition].end for partition in self._at})

    def _collect_aliases(self, aliases: OrderAliases) -> None:
        """Read the topics from their start again and again, until no record adds an alias of the requested orders."""
        topics = (*self._spec.topics, *self._spec.also_reads)
        existing = offset_ranges(self._cluster, topics)
        whole = {
            partition: OffsetRange(existing[partition].first, range_.end)
            for partition, range_ in self._ranges().items()
        }
        known = 0
        while known < aliases.count:
            known = aliases.count
            with OrderedReader(self._cluster, whole) as reader:
                while messages := reader.next_batch(SCANNED_AT_ONCE):
                    for message in messages:
                        self._is_selected(delivery.read(self._codec, message))
        self._retranslation.forget()

    def retry(self) -> bool:
        """Retry up to MAX_RETRIED_AT_ONCE retrying events once, in one transaction; return whether there were any.

        As in the live service, an event that fails its last retry is dead.
        """
        collected = CollectedPublications(self._spec.service, self._plain_codec)
        with self._store.begin() as tx:
            tx.exec_driver_sql(RETRY_NOW)
            due = retrying.due(tx, list(positions.unread(tx, "source")), MAX_RETRIED_AT_ONCE)
            retries.retry(tx, due, self._codec, self._spec.handler, collected, retries.count_attempt, 0.001)
            self._on_owed(tx, publications.owed(tx, collected, self._spec))
        return bool(due)

    def unread(self) -> dict[Partition, OffsetRange]:
        """Return the unread offsets of each partition; partitions without any are left out."""
        return {partition: range_ for partition, range_ in self._ranges().items() if range_.first < range_.end}

    def _count(self) -> int:
        return sum(range_.end - range_.first for range_ in self.unread().values())

    def _ranges(self) -> dict[Partition, OffsetRange]:
        with self._store.begin() as tx:
            ranges = positions.unread(tx, "source")
        return {partition: range_ for partition, range_ in ranges.items() if partition[1] % self._parts == self._part}

    def _apply(self, messages: Sequence[Message]) -> None:
        if self._barrier:
            self._barrier.enter(self._part, messages[0].timestamp()[1], messages[-1].timestamp()[1])
        deliveries = [delivery.read(self._codec, message) for message in messages]
        appended = {read.event_id: message.timestamp()[1] for read, message in zip(deliveries, messages, strict=True)}
        selected = [read for read in deliveries if self._is_selected(read)]
        ends = delivery.ends(deliveries)
        try:
            self._commit(ends, selected, appended, bisection.together)
        except BatchFailed:
            self._commit(ends, selected, appended, bisection.in_parts)
        self._retranslation.forget()
        self._at |= ends
        self.on_progress(ends)

    def _commit(
        self,
        ends: Mapping[Partition, int],
        selected: Sequence[Delivery],
        appended: Mapping[EventId, int],
        run: bisection.Runner,
    ) -> None:
        collected = CollectedPublications(self._spec.service, self._plain_codec, run)
        with self._store.begin() as tx:
            positions.advance(tx, {partition: self._at[partition] for partition in ends}, ends)
            applied = (
                batch.apply(tx, selected, self._spec.handler, collected, run, self._first_wait_s)
                if selected
                else Applied()
            )
            waiting = [outcome.delivery.event_id for outcome in applied.outcomes if outcome.kind == "waiting"]
            if waiting:
                tx.exec_driver_sql(SINCE, {"ids": waiting, "times": [appended[event_id] for event_id in waiting]})
            self._on_owed(tx, publications.owed(tx, collected, self._spec))
            ledger.add_aliases(tx, list(self._retranslation.renamed(selected)))

    def _is_selected(self, read: Delivery) -> bool:
        """Return whether a record is relevant to the service, and belongs to the requested orders, if any."""
        if not isinstance(read.event, UnreadableRecord) and not self._spec.is_relevant(read.event):
            return False
        return self._aliases is None or self._aliases.include(read)
