"""A member of a consumer group, which fetches records from the partitions that Kafka assigns to the member.

The rebalance callbacks only note what was assigned and revoked; the worker acts on it later.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runtime.logging import log
from stream.events.topics import Topic
from stream.kafka import admin, watchdog
from stream.kafka.cluster import Cluster
from stream.kafka.group import end_offsets, fetch_stats
from stream.kafka.group.assigned_partitions import AssignedPartitions
from stream.kafka.group.fetch_stats import FetchStats
from stream.kafka.group.group_offsets import GroupOffsets
from stream.kafka.group.upcoming_offsets import UpcomingOffsets
from stream.kafka.position import Owned, Partition, partition_of
from stream.kafka.producer import CLIENT
from stream.kafka.watchdog import Watchdog

CONSUMER: dict[str, object] = {
    **CLIENT,
    "group.protocol": "consumer",  # KIP-848; no static membership, see docs/decisions
    "group.remote.assignor": "range",  # assigns the same partition numbers of every topic: two members share each topic
    "enable.auto.commit": True,
    "enable.auto.offset.store": False,
    "auto.commit.interval.ms": 5000,  # a takeover uses the offset in the store (ADR 13)
    "auto.offset.reset": "earliest",
    "queued.max.messages.kbytes": 16_384,
    "fetch.wait.max.ms": 1000,  # how long Kafka holds a fetch when there are no records; it answers at the first one
    "statistics.interval.ms": fetch_stats.INTERVAL_MS,
}
GATHERED_BYTES = 200_000
"""With `fetch_gather_ms`, Kafka answers a fetch earlier once it has this many bytes."""
POLL_S = 0.2
COORDINATOR_ERRORS = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)
"""Errors after which the consumer rejoins its group."""


class GroupConsumer:
    """A consumer in `group`, for one thread; with its assigned `partitions`, and the group's `offsets` in Kafka."""

    def __init__(
        self,
        group: str,
        cluster: Cluster,
        topics: Sequence[Topic],
        fetch_gather_ms: int = 0,
        before_revoke: Callable[[], None] = lambda: None,
    ) -> None:
        """Configure librdkafka with CONSUMER; the environment's `KAFKA_…` properties override it.

        For up to `fetch_gather_ms` milliseconds, Kafka gathers records before it answers a fetch: a service that may
        lag so long costs Kafka one request in that time, and otherwise one for nearly every record.

        `before_revoke` is called, inside `consume`, `pause` or `leave`, when Kafka takes partitions away, while their
        offsets can still be committed; it must not poll.
        """
        self._topics = [topic.name for topic in topics]
        self._before_revoke = before_revoke
        callbacks = {"stats_cb": self._on_statistics, "on_commit": self._on_commit}
        self._consumer = cluster.consumer(group, {**CONSUMER, **_gathering(fetch_gather_ms), **callbacks})
        self._fetch_stats = FetchStats(self._topics, time.monotonic())
        self._fetch_watchdog = Watchdog("consumer", partial(admin.are_healthy, cluster))
        self.offsets = GroupOffsets(self._consumer, self._topics, cluster)
        self._buffered: list[Message] = []
        self._may_be_paused = False
        self.partitions = AssignedPartitions()
        self._upcoming = UpcomingOffsets(self._consumer, self.partitions)

    @property
    def owned(self) -> dict[Partition, Owned]:
        """The partitions whose epoch this worker has acquired in the store."""
        return self.partitions.owned

    def problem(self) -> str | None:
        """Return a sentence for the health endpoint while Kafka does not answer this consumer, else None.

        A consumer that waits for new records is answered. The sentence begins after watchdog.CHECK_S seconds.
        """
        return self._fetch_watchdog.problem() or self.offsets.problem()

    def join(self) -> None:
        """Subscribe to the topics."""
        self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def rejoin(self) -> None:
        """Give up all partitions and buffered records, and subscribe again.

        The partitions that Kafka then assigns have to be taken over again.
        """
        with watchdog.bounded():
            self._consumer.unsubscribe()
        self._buffered = []
        self.partitions.clear()
        self._fetch_watchdog.reset()
        self.join()

    def consume(self, most: int, gather_s: float = 0.0) -> list[Message]:
        """Return the records that `pause` has buffered and up to `most` fetched ones; an empty list if there are none.

        Without buffered records, wait up to POLL_S seconds for the first; then gather others for up to `gather_s`
        seconds. Errors are logged, and after one of COORDINATOR_ERRORS the group is rejoined. Raises SystemExit when
        the consumer has failed fatally or is stuck.
        """
        messages, self._buffered = self._buffered, []
        first = self._consumer.poll(0 if messages else POLL_S)
        if first is not None:
            messages += [first, *self._consumer.consume(most - 1, gather_s)]
        self._check_fetching()
        failures = [error for message in messages if (error := message.error())]
        if any(map(_needs_rejoin, failures)):
            self.rejoin()
        return [message for message in messages if message.error() is None]

    def pause(self) -> None:
        """Stop fetching, and poll once, so that Kafka keeps this member in the group while the current batch waits.

        Call it again and again while the batch waits. A record that the poll returns is buffered for `consume`.
        """
        self._fetch_watchdog.reset()
        self._may_be_paused = True
        with watchdog.bounded():
            self._consumer.pause(self._consumer.assignment())
        message = self._consumer.poll(0)
        if message is not None:
            self._buffered.append(message)

    def resume(self) -> None:
        """Fetch records again after `pause`; do nothing if no partition is paused."""
        if self._may_be_paused:
            with watchdog.bounded():
                self._consumer.resume(self._consumer.assignment())
            self._may_be_paused = False

    def own(self, acquired: Mapping[Partition, Owned]) -> None:
        """Mark these partitions as owned, except for those that Kafka has revoked meanwhile."""
        self.partitions.own(acquired)
        log.info("partitions.owned", count=len(acquired))

    def advance(self, ends: Mapping[Partition, int]) -> None:
        """Note the next offsets that the store has committed; Kafka's are committed by `commit_offsets`."""
        self.offsets.note_handled(ends)
        self.partitions.advance(ends)

    def ends(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """Return the end offset of each partition: that after its last record. Unknown ones are left out."""
        find = end_offsets.query if self._may_be_paused else end_offsets.of_last_fetch
        return find(self._consumer, partitions)

    def seek_back(
        self, acquired: Mapping[Partition, Owned], committed: Mapping[Partition, int], in_hand: list[Message]
    ) -> None:
        """Seek to the store's next offset in each acquired partition where the consumer would go on at a higher one.

        Messages that will be fetched again are removed from `in_hand`. `committed` are the group's offsets in Kafka.
        Raises KafkaException while librdkafka does not know where a partition starts: try again later.
        """
        for sought in self._upcoming.seek_back(acquired, committed, [*in_hand, *self._buffered]):
            in_hand[:] = [message for message in in_hand if partition_of(message) != sought]
            self._buffered = [message for message in self._buffered if partition_of(message) != sought]

    def commit_beginnings(self, messages: Sequence[Message], while_waiting: Callable[[], None]) -> None:
        """Call `GroupOffsets.commit_beginnings`, and raise what it raises; `while_waiting` must call `pause`.

        Raises KafkaException also when Kafka takes one of the records' partitions away meanwhile.
        """

        def wait() -> None:
            while_waiting()
            if not all(map(self.partitions.owns, messages)):
                raise KafkaException(KafkaError(KafkaError._ASSIGNMENT_LOST))  # noqa: SLF001 - librdkafka's own code

        self.offsets.commit_beginnings(messages, wait)

    def commit_offsets(self, ends: dict[Partition, int], *, at_once: bool = False) -> None:
        """Commit the next offset of each partition to Kafka without waiting for the result.

        The commit is sent within 5 s or by `leave`; with `at_once`, it is sent now. A commit for a partition that was
        revoked is dropped with a log line. While a restored store catches up, offsets below `rewound_until` are not
        committed, so that Kafka keeps the offset that was reached before the restore.
        """
        self.offsets.note_handled(ends)
        self.offsets.commit(
            {partition: end for partition, end in ends.items() if end >= self.partitions.rewound_until(partition)},
            at_once=at_once,
        )

    def leave(self) -> None:
        """Commit the offsets given to `commit_offsets`, and leave the group; others take over without delay.

        The consumer cannot be used afterwards.
        """
        self._consumer.close()

    def _check_fetching(self) -> None:
        """Raise SystemExit when the client is stuck: it does not fetch from an assigned partition of a healthy Kafka.

        Statistics decide, not the arrival of records, since records of other partitions may still arrive.
        """
        if topics := self._fetch_stats.unread(self.partitions.unacquired | self.owned.keys(), time.monotonic()):
            self._fetch_watchdog.check(topics)
        else:
            self._fetch_watchdog.reset()

    def _on_statistics(self, statistics: str) -> None:
        self._fetch_stats.update(statistics, time.monotonic())

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self.offsets.note_committed(error, partitions)

    def _on_assign(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        self._may_be_paused = True  # librdkafka assigns a partition as paused if it was lost while paused
        log.info("partitions.assigned", count=len(assigned))
        self.partitions.add({(partition.topic, partition.partition) for partition in assigned})

    def _on_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        log.info("partitions.revoked", count=len(revoked))
        self._before_revoke()
        self._forget(revoked)

    def _on_lost(self, _: Consumer, lost: list[TopicPartition]) -> None:
        log.warning("partitions.lost", count=len(lost))
        self._forget(lost)

    def _forget(self, lost: list[TopicPartition]) -> None:
        """Remove partitions that this member has lost, and the records buffered from them."""
        gone = {(partition.topic, partition.partition) for partition in lost}
        self.partitions.forget(gone)
        self._buffered = [message for message in self._buffered if partition_of(message) not in gone]


def _gathering(milliseconds: int) -> dict[str, object]:
    return {"fetch.min.bytes": GATHERED_BYTES, "fetch.wait.max.ms": milliseconds} if milliseconds else {}


def _needs_rejoin(error: KafkaError) -> bool:
    """Log an error of the consumer; return whether the consumer has to rejoin its group.

    A coordinator that moves while offsets are fetched, as on a new cluster, leaves librdkafka 2.16 assigned and idle.
    Raises SystemExit when the error is fatal.
    """
    if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 - fatal() is False on a message's error
        raise SystemExit(f"the Kafka consumer has failed fatally: {error.str()}")
    log.warning("consume.failed", error=error.str())
    return error.code() in COORDINATOR_ERRORS
