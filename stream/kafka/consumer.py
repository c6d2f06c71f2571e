"""A worker's place in its consumer group: which partitions are its own, what came from them, how far it got.

Kafka assigns; the store's epochs decide (see `ownership`). The callbacks only take notes, the worker acts on them.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from runtime import faults
from runtime.logging import log
from stream.events.topics import PARTITIONS, Topic
from stream.kafka import admin, fetch_stats, watchdog
from stream.kafka.client_config import Cluster
from stream.kafka.fetch_stats import FetchStats
from stream.kafka.position import Owned, Partition
from stream.kafka.producer import CLIENT
from stream.kafka.watchdog import Watchdog

CONSUMER: dict[str, Any] = {
    **CLIENT,
    "group.protocol": "consumer",  # KIP-848; no static membership, see docs/decisions
    "group.remote.assignor": "range",  # the same numbers of every topic: of two members, neither has a topic to itself
    "enable.auto.commit": True,
    "enable.auto.offset.store": False,
    "auto.commit.interval.ms": 5000,  # a take-over goes by the store's own offset (ADR 13)
    "auto.offset.reset": "earliest",
    "queued.max.messages.kbytes": 16_384,
    "statistics.interval.ms": fetch_stats.LOOK_MS,
}
NO_PROPERTIES: Mapping[str, Any] = {}
POLL_S = 0.2
COMMITTED_S = 5.0
ENDS_S = 1.0
UNSETTLING = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)


class GroupConsumer:
    """One consumer of `group`, used by one thread."""

    def __init__(
        self, group: str, cluster: Cluster, topics: Sequence[Topic], properties: Mapping[str, Any] = NO_PROPERTIES
    ) -> None:
        """`properties` of librdkafka are added to CONSUMER; those of the environment win over them."""
        self._topics = [topic.name for topic in topics]
        self._consumer = cluster.consumer(group, {**CONSUMER, **properties, "stats_cb": self._measured})
        self._deafness = FetchStats(self._topics, time.monotonic())
        self._silence = Watchdog("consumer", partial(admin.are_healthy, cluster))
        self._offsets_silence = Watchdog("consumer", partial(admin.are_healthy, cluster))
        self._held: list[Message] = []
        self._may_be_paused = False
        self.joined = False
        self.arrived: set[Partition] = set()
        self.owned: dict[Partition, Owned] = {}
        self._fresh: set[Partition] = set()  # assigned and not yet owned: librdkafka begins where Kafka says
        self._starts: dict[Partition, int] = {}
        self._done: dict[Partition, int] = {}

    def problem(self) -> str | None:
        """Return what keeps this consumer from reading."""
        return self._silence.problem() or self._offsets_silence.problem()

    def join(self) -> None:
        """Ask for a share of the topics' partitions."""
        self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def rejoin(self) -> None:
        """Give everything back and ask anew: what Kafka then assigns is ours to take over again."""
        with watchdog.bounded():
            self._consumer.unsubscribe()
        self.arrived, self.owned, self._fresh, self._held = set(), {}, set(), []
        self._silence.reset()
        self.join()

    def consume(self, most: int, gather_s: float = 0.0) -> list[Message]:
        """Return at most `most` records: those that are there and those of the `gather_s` after the first.

        Waits POLL_S where there is none.
        """
        messages, self._held = self._held, []
        first = self._consumer.poll(0 if messages else POLL_S)
        if first is not None:
            messages += [first, *self._consumer.consume(most - 1, gather_s)]
        self._listen()
        failures = [error for message in messages if (error := message.error())]
        if any(map(_unsettles, failures)):
            self.rejoin()
        return [message for message in messages if message.error() is None]

    def pause(self) -> None:
        """Stay a member without taking new work, while the batch in hand has to wait."""
        self._silence.reset()
        self._may_be_paused = True
        with watchdog.bounded():
            self._consumer.pause(self._consumer.assignment())
        message = self._consumer.poll(0)
        if message is not None:
            self._held.append(message)

    def resume(self) -> None:
        """Take new work again."""
        if self._may_be_paused:
            with watchdog.bounded():
                self._consumer.resume(self._consumer.assignment())
            self._may_be_paused = False

    def own(self, taken: Mapping[Partition, Owned]) -> None:
        """Hold these epochs, but for partitions that Kafka has taken back meanwhile."""
        self.owned |= {partition: owned for partition, owned in taken.items() if partition in self.arrived}
        self.arrived -= taken.keys()
        self._fresh -= taken.keys()
        log.info("partitions.owned", count=len(taken))

    def advance(self, ends: Mapping[Partition, int]) -> None:
        """The store has moved to these next offsets."""
        for partition, end in ends.items():
            if partition in self.owned:  # Kafka may have taken it back meanwhile
                self.owned[partition] = self.owned[partition]._replace(next_offset=end)

    def ends(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """Return where these partitions end, as far as that is known.

        What was fetched last says so. While nothing is fetched Kafka is asked, in one request for all: one for each
        would wait behind the other requests every time.
        """
        places = [TopicPartition(*one, OFFSET_END) for one in partitions]
        if not self._may_be_paused:
            cached = {
                one: self._consumer.get_watermark_offsets(TopicPartition(*one), cached=True) for one in partitions
            }
            return {one: offsets[1] for one, offsets in cached.items() if offsets and offsets[1] >= 0}
        try:
            found = self._consumer.offsets_for_times(places, ENDS_S) if places else []
        except KafkaException as away:
            log.info("offsets.unknown", error=away.args[0].str())
            return {}
        return {(one.topic, one.partition): one.offset for one in found if one.error is None and one.offset >= 0}

    def reclaim(self) -> None:
        """Take everything over once more: a commit may have succeeded unheard, and what it left must be published."""
        self.arrived |= self.owned.keys()
        self.owned = {}

    def committed(self) -> dict[Partition, int]:
        """The next offsets that the group has committed to Kafka, of all partitions where it has.

        Raises KafkaException when Kafka does not answer, and SystemExit when it will not although it is well.
        """
        every = [TopicPartition(topic, number) for topic in self._topics for number in range(PARTITIONS)]
        try:
            found = self._consumer.committed(every, COMMITTED_S)
            failed = next((one.error for one in found if one.error), None)
        except KafkaException as failure:
            found, failed = [], failure.args[0]
        if failed:
            self._offsets_silence.check(self._topics)
            raise KafkaException(failed)
        self._offsets_silence.reset()
        return {(one.topic, one.partition): one.offset for one in found if one.offset >= 0}

    def reached(self, committed: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return the highest next offsets the group is known to have had, by Kafka (a moment old) or this member."""
        together = committed.keys() | self._done.keys()
        return {one: max(committed.get(one, 0), self._done.get(one, 0)) for one in together}

    def start_at(
        self, taken: Mapping[Partition, Owned], committed: Mapping[Partition, int], in_hand: list[Message]
    ) -> None:
        """Go back to the store's offset in each partition that would be read from behind it.

        A partition that is read from before it, as when the last batch was not told of, is left alone: what comes
        again is known. Messages of `in_hand` that come again are removed from it.
        Raises KafkaException while librdkafka still asks Kafka where to begin.
        """
        waiting = [*in_hand, *self._held]
        for partition, owned in taken.items():
            if partition not in self.arrived:  # Kafka has taken it back meanwhile
                continue
            upcoming = self._upcoming(partition, committed, waiting)
            if owned.next_offset > 0 if upcoming is None else upcoming > owned.next_offset:
                with watchdog.bounded():
                    self._consumer.seek(TopicPartition(*partition, owned.next_offset))
                self._starts[partition] = owned.next_offset
                in_hand[:] = [message for message in in_hand if _place(message) != partition]
                self._held = [message for message in self._held if _place(message) != partition]
            elif partition in self._fresh:
                self._starts[partition] = upcoming or 0

    def _upcoming(
        self, partition: Partition, committed: Mapping[Partition, int], waiting: Sequence[Message]
    ) -> int | None:
        """The offset that is handled next; None where nobody but Kafka's log knows."""
        if partition in self._fresh:
            return committed.get(partition)
        offsets = [offset for one in waiting if _place(one) == partition and (offset := one.offset()) is not None]
        if offsets:
            return min(offsets)
        (position,) = self._consumer.position([TopicPartition(*partition)])
        known = max(position.offset, self._starts.get(partition, -1))
        return known if known >= 0 else committed.get(partition)

    def forget(self, gone: Collection[Partition]) -> None:
        """These partitions are another's now."""
        self.arrived -= set(gone)
        self._fresh -= set(gone)
        self.owned = {partition: owned for partition, owned in self.owned.items() if partition not in gone}
        self._held = [message for message in self._held if _place(message) not in gone]

    def owns(self, message: Message) -> bool:
        """Whether the message is from a partition we hold the epoch of."""
        return _place(message) in self.owned

    def is_repeated(self, topic: str, partition: int, offset: int) -> bool:
        """Return whether this record may have been handled before the store was restored."""
        return offset < self._rewound_until((topic, partition))

    @faults.before("worker.before_offsets")
    @faults.after("worker.after_offsets")
    def done(self, ends: dict[Partition, int], *, at_once: bool = False) -> None:
        """The next offset to read of each partition; committed in the background, and when leaving, or now.

        While a restored store catches up, Kafka goes on saying how far it had been.
        """
        self._done |= {where: max(end, self._done.get(where, 0)) for where, end in ends.items()}
        after = [TopicPartition(*where, end) for where, end in ends.items() if end >= self._rewound_until(where)]
        if not after:
            return
        try:
            self._consumer.store_offsets(offsets=after)
            if at_once:
                self._consumer.commit(offsets=after, asynchronous=True)
        except KafkaException as lost:  # a partition has moved on; its next owner's inbox knows the batch
            log.info("offsets.lost", error=str(lost))

    def _rewound_until(self, partition: Partition) -> int:
        owned = self.owned.get(partition)
        return owned.rewound_until if owned else 0

    def leave(self) -> None:
        """Commit what was done and let others take over at once."""
        self._consumer.close()

    def _listen(self) -> None:
        """Is all that is ours being read? Also while much comes of the rest; statistics overtake records."""
        if topics := self._deafness.unread(self.arrived | self.owned.keys(), time.monotonic()):
            self._silence.check(topics)
        else:
            self._silence.reset()

    def _measured(self, statistics: str) -> None:
        self._deafness.told(statistics, time.monotonic())

    def _on_assign(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        self.joined = True  # of more members than partitions, some are never told, and are never ready
        self._may_be_paused = True  # what was lost while it was paused is assigned as paused
        log.info("partitions.assigned", count=len(assigned))
        partitions = {(partition.topic, partition.partition) for partition in assigned}
        self.arrived |= partitions
        self._fresh |= partitions

    def _on_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        log.info("partitions.revoked", count=len(revoked))
        self.forget({(partition.topic, partition.partition) for partition in revoked})

    def _on_lost(self, _: Consumer, lost: list[TopicPartition]) -> None:
        log.warning("partitions.lost", count=len(lost))
        self.forget({(partition.topic, partition.partition) for partition in lost})


def _place(message: Message) -> Partition:
    return message.topic() or "", message.partition() or 0


def _unsettles(error: KafkaError) -> bool:
    """Log an error of the consumer; whether it has lost its footing, and must ask for its partitions anew.

    A coordinator that moves while offsets are fetched, as on a new cluster, leaves librdkafka 2.16 assigned and idle.
    """
    if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 - of a message's error, fatal() says False
        raise SystemExit(f"Kafka's consumer has failed for good: {error.str()}")
    log.warning("consume.failed", error=error.str())
    return error.code() in UNSETTLING
