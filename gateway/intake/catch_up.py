"""Continues resumptions and publishes new secrets, once the providers' states are read from their topic."""

import asyncio
from collections.abc import Iterable

from gateway.append.appender import Appender, Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import ProducerRecord
from gateway.intake.provider_states import ProviderStates
from gateway.intake.release import DEADLINE_S
from gateway.intake.resumption import RETRY_S, Resumption
from runtime import clock
from stream.avro.codec import Codec
from stream.events import Micros, SecretSeen, topics

CHECK_S = 1.0


class CatchUp:
    """Continues the resumptions of ended gateways, and publishes which secrets are used for the first time."""

    def __init__(
        self,
        states: ProviderStates,
        resumption: Resumption,
        appender: Appender,
        durable_append: DurableAppend,
        codec: Codec,
    ) -> None:
        self._states = states
        self._resumption = resumption
        self._appender = appender
        self._durable_append = durable_append
        self._codec = codec

    async def run(self, fingerprints: Iterable[tuple[str, str]]) -> None:
        """Wait until the states are read, continue resumptions, and publish a SecretSeen for each secret that is new.

        `fingerprints` holds (setting, fingerprint) of the valid secrets. Webhooks are accepted meanwhile. Return once
        all are durable, in Kafka or in the spool, however long Kafka is unavailable.
        """
        while not self._states.are_read():  # noqa: ASYNC110 - a thread reads them
            await asyncio.sleep(CHECK_S)
        for state in self._states.resuming():
            self._resumption.start(state)
        # A producer that has seen the topic missing would hold the record for 30 s, and refuse webhooks meanwhile.
        await self._appender.warm_up([topics.PROVIDER_STATES.name])
        for setting, fingerprint in fingerprints:
            if self._states.first_seen(setting, fingerprint) is None:
                await self._publish(SecretSeen(secret_setting=setting, fingerprint=fingerprint, at=Micros(clock.now())))

    async def _publish(self, record: SecretSeen) -> None:
        """Append a record; try again every RETRY_S while it is not durable."""
        topic = topics.PROVIDER_STATES
        encoded = ProducerRecord(topic.name, topic.key(record), self._codec.encode(record))
        while True:
            try:
                await self._durable_append.append(encoded, object(), DEADLINE_S)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            else:
                return
