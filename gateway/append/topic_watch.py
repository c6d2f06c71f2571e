"""Checks regularly whether the topics that the gateway appends to exist, for its readiness."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from confluent_kafka import KafkaException

from runtime.logging import log
from stream.events.topics import Topic
from stream.kafka import admin
from stream.kafka.cluster import Cluster

INTERVAL_S = 5.0


class TopicWatch:
    """Knows which of `topics` were missing when Kafka last answered. Does not report that Kafka is unavailable.

    `warm_up` is awaited with the names of topics that have appeared, before they count as present: a producer that has
    seen a topic missing needs time to find it.
    """

    def __init__(
        self, cluster: Cluster, topics: Sequence[Topic], warm_up: Callable[[list[str]], Awaitable[None]]
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._warm_up = warm_up
        self._missing: list[str] = []

    def problem(self) -> str | None:
        """Return a sentence with the missing topics and the command that creates them, or None.

        None if all existed when Kafka last answered, and if it has never answered.
        """
        if not self._missing:
            return None
        return f"topics are missing: {', '.join(self._missing)}; run `hookstream topics create`"

    async def check(self) -> None:
        """Ask Kafka for the topics once; change nothing if it does not answer."""
        try:
            missing = await asyncio.to_thread(admin.missing, self._cluster, self._topics)
        except KafkaException:
            return
        if found := [name for name in self._missing if name not in missing]:
            await self._warm_up(found)
            log.info("topics.found", topic=", ".join(found), count=len(found))
        if missing and missing != self._missing:
            log.warning("topics.missing", topic=", ".join(missing), count=len(missing))
        self._missing = missing

    async def run(self) -> None:
        """Check every INTERVAL_S until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.check()
