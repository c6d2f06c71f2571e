"""Keeps looking whether the topics that the gateway appends to exist, for its readiness."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from confluent_kafka import KafkaException

from runtime.logging import log
from stream.events.topics import Topic
from stream.kafka import admin
from stream.kafka.client_config import Cluster

LOOK_S = 5.0


class TopicWatch:
    """Knows which of `topics` were missing when Kafka last answered; its being away is told by others.

    `prepare` is awaited for topics that have come, before they count as there: a producer that knew a topic as missing
    takes its time to find it.
    """

    def __init__(
        self, cluster: Cluster, topics: Sequence[Topic], prepare: Callable[[list[str]], Awaitable[None]]
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._prepare = prepare
        self._missing: list[str] = []

    def problem(self) -> str | None:
        """The missing topics, and what to do."""
        if not self._missing:
            return None
        return f"topics are missing: {', '.join(self._missing)}; run `hookstream topics create`"

    async def look(self) -> None:
        """Ask Kafka once."""
        try:
            missing = await asyncio.to_thread(admin.missing, self._cluster, self._topics)
        except KafkaException:
            return
        if came := [name for name in self._missing if name not in missing]:
            await self._prepare(came)
            log.info("topics.found", topic=", ".join(came), count=len(came))
        if missing and missing != self._missing:
            log.warning("topics.missing", topic=", ".join(missing), count=len(missing))
        self._missing = missing

    async def keep_looking(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()
