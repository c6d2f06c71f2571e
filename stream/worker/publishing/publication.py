"""Publishes the messages of committed batches: those of the outbox at once, outcomes about once a second."""

import time
from collections.abc import Callable, Mapping, Sequence

from runtime import faults
from stream.events.topics import OUTCOMES
from stream.kafka.position import Partition
from stream.store.outbox import OutboxMessage
from stream.worker.publishing.held_outcomes import HeldOutcomes
from stream.worker.publishing.publisher import Publisher

CommitOffsets = Callable[[dict[Partition, int]], None]


class Publication:
    """Publishes through `publisher`; `commit_offsets` commits the offsets of records whose outcomes are published.

    All methods that publish return when Kafka has acknowledged. `is_revoking` is True while `before_revoke` publishes.
    """

    def __init__(self, publisher: Publisher, commit_offsets: CommitOffsets) -> None:
        self._publisher = publisher
        self._commit_offsets = commit_offsets
        self._held = HeldOutcomes()
        self._is_publishing = False
        self.is_revoking = False
        self.problem = publisher.problem

    def publish(self, messages: Sequence[OutboxMessage]) -> None:
        """Publish messages of the outbox; first the held outcomes, if there are outcomes in `messages`.

        Both may have outcomes of the same event, which keep their order then.
        """
        if any(message.topic == OUTCOMES.name for message in messages):
            self.publish_outcomes()
        self._publish_now(messages)

    def add_outcomes(self, outcomes: Sequence[OutboxMessage], ends: Mapping[Partition, int]) -> None:
        """Hold the outcomes of a batch until they are due; `ends` are the next offsets to commit with them."""
        self._held.add(outcomes, ends, time.monotonic())

    def publish_due_outcomes(self) -> None:
        """Publish the held outcomes and commit their offsets, if they have been held for a second."""
        if self._held.is_due(time.monotonic()):
            self.publish_outcomes()

    def publish_outcomes(self) -> None:
        """Publish the held outcomes, then commit the offsets of their records; do nothing if none are held."""
        outcomes, ends = self._held.pop_all()
        if ends:
            self._publish_held(outcomes, ends)

    def drop_outcomes(self) -> None:
        """Forget the held outcomes and offsets, so that the next owner of the partitions publishes these outcomes."""
        self._held.pop_all()

    def before_revoke(self) -> None:
        """Publish the held outcomes before Kafka takes partitions away, so that the next owner need not do so.

        Does nothing if it is called while another publication waits for Kafka, whose messages would be overtaken.
        """
        if not self._is_publishing:
            self.is_revoking = True
            self.publish_outcomes()
            self.is_revoking = False

    @faults.on_call("worker.before_outcomes")
    def _publish_held(self, outcomes: list[OutboxMessage], ends: dict[Partition, int]) -> None:
        self._publish_now(outcomes)
        self._commit_offsets(ends)

    def _publish_now(self, messages: Sequence[OutboxMessage]) -> None:
        self._is_publishing = True
        self._publisher.publish(messages)
        self._is_publishing = False
