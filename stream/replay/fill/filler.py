"""Fills a schema from the topics by the service's own handler; each batch notes its place in its own transaction."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from confluent_kafka import Message
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from runtime.config.settings import StoreSettings
from stream import events
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import registry
from stream.events import Record
from stream.kafka import delivery
from stream.kafka.client_config import Cluster
from stream.kafka.delivery import Delivery, UnreadableRecord
from stream.kafka.position import Partition
from stream.replay.fill import ledger, parallel, publications
from stream.replay.fill.ledger import Asked, Outrun, Owed
from stream.replay.fill.order_aliases import Wanted
from stream.replay.fill.ordered_reader import Reading
from stream.replay.fill.parallel import Moved, SharedPace
from stream.replay.fill.publications import CollectedPublications
from stream.replay.offsets import OffsetRange, spans
from stream.replay.spec import ReplaySpec
from stream.store import error_classification, retrying
from stream.worker import batch, bisection, retries
from stream.worker.batch import Applied
from stream.worker.bisection import BatchFailed

LEARNT_AT_ONCE = 5000
MOST_RETRIED = 500
PASSING = ("40P01", "40001")
"""SQLSTATEs of a deadlock and of a failed serialization, of which the other process has got its way."""
Keep = Callable[[Connection, Sequence[Owed]], None]

# As long ago as the record was appended: so it waits no longer than it did for the live service.
SINCE = """
UPDATE inbox SET handled_at = to_timestamp(since.ms / 1e3)
  FROM unnest(%(ids)b::text[]::uuid[], %(times)b::bigint[]) AS since (event_id, ms)
 WHERE inbox.event_id = since.event_id
"""
HURRY = "UPDATE parked SET next_attempt_at = now() WHERE status = 'retrying'"


class Filler:
    """Applies what is asked of one service's topics to `store`; `keep` gets the facts that were told to nobody."""

    def __init__(
        self, subject: ReplaySpec, settings: StoreSettings, store: Engine, asked: Asked, keep: Keep = ledger.owe
    ) -> None:
        self._subject = subject
        self._cluster = Cluster.of(settings, subject.service)
        self._first_wait_s = settings.retry_first_s
        self._batch_size = settings.replay_batch_size
        self._processes = settings.replay_processes if subject.is_by_partition and not asked.orders else 1
        self._part = 0
        self._parts = 1
        self._pace: SharedPace | None = None
        self._store = store
        self._keep = keep
        self._wanted = Wanted(asked.orders) if asked.orders else None
        self._known = Codec(registry(settings))
        self._codec = Codec(registry(settings), self._reread) if asked.retranslate else self._known
        self._renamed: dict[str, tuple[str, bytes]] = {}
        self._at: dict[Partition, int] = {}
        self.moved: Moved = lambda _: None

    def fill(self) -> None:
        """Read on from where it was left, up to the ends that were noted."""
        if self._wanted:
            self._learn(self._wanted)
        count = min(self._processes, self._count() // self._batch_size)
        if count > 1:  # for less than a batch each, starting them costs more than they save
            parallel.run(count, partial(self._fill_part, count), self.moved)
        self._fill()

    def _fill_part(self, count: int, part: int, pace: SharedPace, moved: Moved) -> None:
        """Fill from those partitions whose numbers are this part's, in a process forked for that.

        All records of a key are in partitions of one number, so a part has every topic's records of its keys.
        """
        self._store.dispose(close=False)  # its connections are the parent's
        self._part, self._parts, self._pace, self.moved = part, count, pace, moved
        self._fill()

    def _fill(self) -> None:
        while unread := self.unread():
            self._at = {where: span.first for where, span in unread.items()}
            try:
                with Reading(self._cluster, unread) as reading:
                    while messages := reading.take(self._batch_size):
                        self._apply(messages)
            except Outrun:  # by the last batch of one that was killed; from where that ended we go on
                continue
            except DBAPIError as failure:
                if error_classification.sqlstate(failure) not in PASSING:
                    raise
                continue
            with self._store.begin() as tx:  # records may be missing at the end, such as those that were too old
                ledger.advance(tx, self._at, {where: unread[where].end for where in self._at})

    def _learn(self, wanted: Wanted) -> None:
        """Read from the start, until no record tells a new name of the orders that are wanted."""
        topics = (*self._subject.topics, *self._subject.also_reads)
        there = spans(self._cluster, topics)
        whole = {where: OffsetRange(there[where].first, place.end) for where, place in self._places().items()}
        known = 0
        while known < wanted.count:
            known = wanted.count
            with Reading(self._cluster, whole) as reading:
                while messages := reading.take(LEARNT_AT_ONCE):
                    for message in messages:
                        self._concerns(delivery.read(self._codec, message))
        self._renamed.clear()

    def try_again(self) -> bool:
        """Try again what failed, as often as the live service would; whether there was anything."""
        unspoken = CollectedPublications(self._known)
        with self._store.begin() as tx:
            tx.exec_driver_sql(HURRY)
            due = retrying.due(tx, list(ledger.places(tx, "source")), MOST_RETRIED)
            retries.retry(tx, due, self._codec, self._subject.handler, unspoken, retries.count_attempt, 0.001)
            self._keep(tx, publications.owed(tx, unspoken, self._subject))
        return bool(due)

    def unread(self) -> dict[Partition, OffsetRange]:
        """What is still to be read; partitions that were read to their ends are left out."""
        return {where: span for where, span in self._places().items() if span.first < span.end}

    def _count(self) -> int:
        return sum(span.end - span.first for span in self.unread().values())

    def _places(self) -> dict[Partition, OffsetRange]:
        with self._store.begin() as tx:
            places = ledger.places(tx, "source")
        return {where: span for where, span in places.items() if where[1] % self._parts == self._part}

    def _apply(self, messages: Sequence[Message]) -> None:
        if self._pace:
            self._pace.enter(self._part, messages[0].timestamp()[1], messages[-1].timestamp()[1])
        deliveries = [delivery.read(self._codec, message) for message in messages]
        appended = {one.event_id: message.timestamp()[1] for one, message in zip(deliveries, messages, strict=True)}
        ours = [one for one in deliveries if self._concerns(one)]
        ends = delivery.ends(deliveries)
        try:
            self._commit(ends, ours, appended, bisection.together)
        except BatchFailed:
            self._commit(ends, ours, appended, bisection.in_parts)
        self._renamed.clear()
        self._at |= ends
        self.moved(ends)

    def _commit(
        self,
        ends: Mapping[Partition, int],
        ours: Sequence[Delivery],
        appended: Mapping[str, int],
        run: bisection.Runner,
    ) -> None:
        unspoken = CollectedPublications(self._known, run)
        with self._store.begin() as tx:
            ledger.advance(tx, {where: self._at[where] for where in ends}, ends)
            applied = (
                batch.apply(tx, ours, self._subject.handler, unspoken, run, self._first_wait_s) if ours else Applied()
            )
            waiting = [one.delivery.event_id for one in applied.outcomes if one.outcome == "waiting"]
            if waiting:
                tx.exec_driver_sql(SINCE, {"ids": waiting, "times": [appended[one] for one in waiting]})
            self._keep(tx, publications.owed(tx, unspoken, self._subject))
            renamed = [(self._renamed[one.event_id], one) for one in ours if one.event_id in self._renamed]
            ledger.alias(tx, [(*before, one.topic, one.partition, one.offset) for before, one in renamed])

    def _reread(self, record: Record) -> Record:
        try:
            again = self._subject.retranslate(record)
        except Exception as refused:
            raise Undecodable(f"today's translator refuses it: {type(refused).__name__}: {refused}") from refused
        if isinstance(again, events.Webhook) and isinstance(record, events.Webhook):
            before, after = record.envelope, again.envelope
            if type(again) is not type(record):
                raise Undecodable(f"today's translator makes a {type(again).__name__} of it")
            if after.event_id != before.event_id:
                self._renamed[after.event_id] = (before.event_id, before.digest)
        return again

    def _concerns(self, one: Delivery) -> bool:
        """Whether a record matters to the service, and is of the orders that the replay is limited to."""
        if not isinstance(one.event, UnreadableRecord) and not self._subject.is_relevant(one.event):
            return False
        return self._wanted is None or self._wanted.has(one)
