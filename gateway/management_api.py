"""What the person on call sees of the gateway and does there: release from the quarantine, how full the spool is."""

import asyncio
from collections.abc import Mapping
from typing import Any

from gateway.append.appender import Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import Spooled
from gateway.http.refusals import Refusal
from gateway.intake import reverification
from gateway.intake.authentication import Authentication
from gateway.intake.reverification import Still
from gateway.settings import GatewaySettings
from providers.addressing import Addressed
from providers.contract import RefusedWebhook
from runtime import clock, management
from runtime.logging import log
from runtime.management import Routes
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.events import Mode, Outcome, QuarantinedWebhook, topics
from stream.kafka import topic_reader
from stream.kafka.client_config import Cluster
from stream.kafka.topic_reader import Position

KEPT_IN = (topics.QUARANTINE.name, topics.UNVERIFIED.name)
MOST = 50
DEADLINE_S = 10.0
"""How long Kafka may take for one record; nobody but a person waits for it."""

Result = dict[str, Any]


class ManagementApi:
    """The gateway's verbs. They run on the management listener's threads, and append on the event loop."""

    def __init__(self, settings: GatewaySettings, codec: Codec, custody: DurableAppend, proof: Authentication) -> None:
        self._cluster = Cluster.of(settings, "gateway")
        self._mode: Mode = settings.mode
        self._codec = codec
        self._custody = custody
        self._proof = proof
        self._loop = asyncio.get_running_loop()

    def routes(self) -> Routes:
        """The verbs by method and path."""
        return {("POST", "/quarantine/release"): self.release, ("GET", "/spool"): self.spool}

    def spool(self, _: Mapping[str, Any]) -> object:
        """How much waits on the disk for Kafka."""
        state = self._custody.state()
        if state is None:
            return {"configured": False, "records": 0, "bytes": 0, "maxBytes": 0, "refused": None}
        return {
            "configured": True,
            "records": state.records,
            "bytes": state.bytes,
            "maxBytes": state.max_bytes,
            "refused": state.refused,
        }

    def release(self, said: Mapping[str, Any]) -> object:
        """Verify and read webhooks again that were kept aside, as of when they came, and append what can be read.

        To release one twice appends the same event twice, by one id: who consumes it sees a duplicate.
        """
        places, dry = _places(said), said.get("dryRun", False)
        try:
            return {"results": [self._release(place, value, dry=dry) for place, value in self._values(places)]}
        except Unavailable as away:
            raise management.Refused(503, "unavailable", "Kafka does not take it; nothing is lost, try again") from away

    def _values(self, places: list[Position]) -> list[tuple[Position, bytes | None]]:
        try:
            return list(topic_reader.read_at(self._cluster, places))
        except topic_reader.KafkaUnavailable as away:
            raise management.Refused(503, "unavailable", f"{away}; nothing is lost, try again") from away

    def _release(self, place: Position, value: bytes | None, *, dry: bool) -> Result:
        about: Result = {"topic": place.topic, "partition": place.partition, "offset": place.offset}
        try:
            kept = self._kept(value)
            about["id"] = kept.event_id
            found = reverification.read(kept, self._proof, self._mode)
        except (Still, Refusal, RefusedWebhook) as why:
            return {**about, "released": False, "cause": why.cause, "detail": str(why)}
        except Exception as broken:  # noqa: BLE001 - a record nobody foresaw must not keep the others from being released
            log.exception("quarantine.unreadable", topic=place.topic, partition=place.partition, offset=place.offset)
            return {**about, "released": False, "cause": "unreadable_record", "detail": type(broken).__name__}
        if not dry:
            appending = self._append(place, kept, found)
            asyncio.run_coroutine_threadsafe(appending, self._loop).result()
            log.info("webhook.released", id=kept.event_id, provider=kept.provider, topic=found.topic.name)
        return {**about, "released": True, "eventId": found.webhook.envelope.event_id, "to": found.topic.name}

    def _kept(self, value: bytes | None) -> QuarantinedWebhook:
        if value is None:
            raise Still("gone", "nothing is kept at this place, or no more")
        try:
            kept = self._codec.decode(value)
        except (Undecodable, UnknownSchema) as broken:
            raise Still("undecodable", str(broken)) from broken
        if not isinstance(kept, QuarantinedWebhook):
            raise Still("gone", "what stands at this place is no webhook")
        return kept

    async def _append(self, place: Position, kept: QuarantinedWebhook, found: Addressed) -> None:
        """The event first, then that it was released: for the console, and behind the record itself for who lists."""
        envelope = found.webhook.envelope
        event = Spooled(found.topic.name, found.key, self._codec.encode(found.webhook))
        await self._custody.take(event, (envelope.event_id, envelope.digest), DEADLINE_S)
        released = self._codec.encode(_outcome(place, kept))
        for topic in (place.topic, topics.OUTCOMES.name):
            await self._custody.take(Spooled(topic, kept.event_id, released), object(), DEADLINE_S)


def _outcome(place: Position, kept: QuarantinedWebhook) -> Outcome:
    return Outcome(
        event_id=kept.event_id,
        service="gateway",
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        outcome="processed",
        attempt=1,
        error=None,
        at=clock.now(),
    )


def _places(said: Mapping[str, Any]) -> list[Position]:
    """Where the webhooks stand that are meant."""
    given = said.get("records")
    well = isinstance(given, list) and 0 < len(given) <= MOST and isinstance(said.get("dryRun", False), bool)
    if not well or said.keys() - {"records", "dryRun"}:
        raise _malformed(f'say {{"records": [1 to {MOST} places], "dryRun": true or false}}')
    return [_place(one) for one in given or []]


def _place(said: Any) -> Position:
    match said:
        case {"topic": str(topic), "partition": int(partition), "offset": int(offset), **rest} if (
            not rest and topic in KEPT_IN and 0 <= partition < topics.PARTITIONS and 0 <= offset < 2**63
        ):
            return Position(topic, partition, offset)
    raise _malformed(f"a place is topic ({' or '.join(KEPT_IN)}), partition and offset")


def _malformed(message: str) -> management.Refused:
    return management.Refused(400, "malformed", message)
