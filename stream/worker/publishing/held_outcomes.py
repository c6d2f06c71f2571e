"""Outcomes of committed batches, held back so that those of about a second are published together. Pure."""

from collections.abc import Mapping, Sequence

from stream.kafka.position import Partition
from stream.store.outbox import OutboxMessage

INTERVAL_S = 1.0
"""The seconds for which outcomes are held. At 50 webhooks/s, publishing them with each batch would cost the broker more
requests than the events."""


class HeldOutcomes:
    """The outcomes of committed batches, and the offsets to commit to Kafka once they are published.

    The outcomes are in no outbox. After a crash Kafka delivers their records again, because the offsets were not
    committed, and the inbox gives the records the same outcomes.
    """

    def __init__(self) -> None:
        self._messages: list[OutboxMessage] = []
        self._ends: dict[Partition, int] = {}
        self._since = 0.0

    def add(self, messages: Sequence[OutboxMessage], ends: Mapping[Partition, int], now: float) -> None:
        """Hold a batch's outcomes, and the next offset of each of its partitions. `now` is in monotonic seconds."""
        if not self._ends:
            self._since = now
        self._messages += messages
        self._ends |= ends

    def is_due(self, now: float) -> bool:
        """Return whether the first batch was added INTERVAL_S or longer before `now`; False while none is held."""
        return bool(self._ends) and now - self._since >= INTERVAL_S

    def pop_all(self) -> tuple[list[OutboxMessage], dict[Partition, int]]:
        """Remove and return the held outcomes and the next offsets of their partitions; both empty if none are held."""
        popped = self._messages, self._ends
        self._messages, self._ends = [], {}
        return popped
