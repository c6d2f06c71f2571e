"""The gateway's management API: release webhooks from the quarantine, show the state of the spool."""

import asyncio
from collections.abc import Mapping

from gateway.append.appender import Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import ProducerRecord
from gateway.http.refusals import Refusal
from gateway.intake.authentication import Authentication
from gateway.intake.reverification import NotReleasable, reverify
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

QUARANTINE_TOPICS = tuple(topic.name for topic in topics.GATEWAY.reads)
MAX_RECORDS = 50
DEADLINE_S = 10.0
"""Seconds that Kafka has for one record. Longer than for a webhook, since only an operator waits."""

Result = dict[str, object]


class ManagementApi:
    """The gateway's routes. They run on the management listener's threads, and append on the event loop.

    Must be created inside the running event loop.
    """

    def __init__(
        self, settings: GatewaySettings, codec: Codec, durable_append: DurableAppend, authentication: Authentication
    ) -> None:
        self._cluster = Cluster.of(settings, "gateway")
        self._mode: Mode = settings.mode
        self._codec = codec
        self._durable_append = durable_append
        self._authentication = authentication
        self._loop = asyncio.get_running_loop()

    def routes(self) -> Routes:
        """Return the routes by method and path."""
        return {("POST", "/quarantine/release"): self.release, ("GET", "/spool"): self.spool}

    def spool(self, _: Mapping[str, object]) -> object:
        """Return how much the spool holds, and why its disk refuses writes."""
        state = self._durable_append.state()
        if state is None:
            return {"configured": False, "records": 0, "bytes": 0, "maxBytes": 0, "refused": None}
        return {
            "configured": True,
            "records": state.records,
            "bytes": state.bytes,
            "maxBytes": state.max_bytes,
            "refused": state.write_error,
        }

    def release(self, request: Mapping[str, object]) -> object:
        """Verify and translate quarantined webhooks again, and append those that are accepted now.

        `request` is {"records": [{"topic", "partition", "offset"}, …], "dryRun": bool}. Returns one result a record.
        Releasing a record twice appends the same event id twice; consumers see a duplicate. Raises management.Refused
        if the request is malformed or Kafka is unavailable.
        """
        positions, is_dry_run = _positions(request), request.get("dryRun") is True
        try:
            return {
                "results": [
                    self._release(position, value, is_dry_run=is_dry_run) for position, value in self._values(positions)
                ]
            }
        except Unavailable as unavailable:
            message = "Kafka does not acknowledge; nothing is lost, try again"
            raise management.Refused(503, "unavailable", message) from unavailable

    def _values(self, positions: list[Position]) -> list[tuple[Position, bytes | None]]:
        try:
            return list(topic_reader.read_at(self._cluster, positions))
        except topic_reader.KafkaUnavailable as away:
            raise management.Refused(503, "unavailable", f"{away}; nothing is lost, try again") from away

    def _release(self, position: Position, value: bytes | None, *, is_dry_run: bool) -> Result:
        """Release one record; return its result. Raises Unavailable if the event could not be appended."""
        result: Result = {"topic": position.topic, "partition": position.partition, "offset": position.offset}
        try:
            stored = self._decode(value)
            result["id"] = stored.event_id
            addressed = reverify(stored, self._authentication, self._mode)
        except (NotReleasable, Refusal, RefusedWebhook) as refused:
            return {**result, "released": False, "cause": refused.cause, "detail": str(refused)}
        except Exception as failure:  # noqa: BLE001 - an unforeseen record must not keep the others from their release
            log.exception("quarantine.unreadable", **position._asdict())
            return {**result, "released": False, "cause": "unreadable_record", "detail": type(failure).__name__}
        if not is_dry_run:
            appending = self._append(position, stored, addressed)
            asyncio.run_coroutine_threadsafe(appending, self._loop).result()
            log.info("webhook.released", id=stored.event_id, provider=stored.provider, topic=addressed.topic.name)
        return {**result, "released": True, "eventId": addressed.webhook.envelope.event_id, "to": addressed.topic.name}

    def _decode(self, value: bytes | None) -> QuarantinedWebhook:
        if value is None:
            raise NotReleasable("gone", "there is no record at this position, or it has expired")
        try:
            record = self._codec.decode(value)
        except (Undecodable, UnknownSchema) as broken:
            raise NotReleasable("undecodable", str(broken)) from broken
        if not isinstance(record, QuarantinedWebhook):
            raise NotReleasable("gone", "the record at this position is not a quarantined webhook")
        return record

    async def _append(self, position: Position, stored: QuarantinedWebhook, addressed: Addressed) -> None:
        """Append the event, then its outcome twice: behind the record, for listings, and for the console."""
        envelope = addressed.webhook.envelope
        event = ProducerRecord(addressed.topic.name, addressed.key, self._codec.encode(addressed.webhook))
        await self._durable_append.append(event, (envelope.event_id, envelope.digest), DEADLINE_S)
        outcome = self._codec.encode(_outcome(position, stored))
        for topic in (position.topic, topics.OUTCOMES.name):
            await self._durable_append.append(ProducerRecord(topic, stored.event_id, outcome), object(), DEADLINE_S)


def _outcome(position: Position, stored: QuarantinedWebhook) -> Outcome:
    return Outcome(
        event_id=stored.event_id,
        service="gateway",
        topic=position.topic,
        partition=position.partition,
        offset=position.offset,
        outcome="processed",
        attempt=1,
        error=None,
        at=clock.now(),
    )


def _positions(request: Mapping[str, object]) -> list[Position]:
    """Read the positions of a request. Raises management.Refused if it is malformed."""
    records = request.get("records")
    is_valid = isinstance(request.get("dryRun", False), bool) and not request.keys() - {"records", "dryRun"}
    if not (is_valid and isinstance(records, list) and 0 < len(records) <= MAX_RECORDS):
        raise _malformed(f'send {{"records": [1 to {MAX_RECORDS} positions], "dryRun": true or false}}')
    return [_position(record) for record in records]


def _position(fields: object) -> Position:
    match fields:
        case {"topic": str(topic), "partition": int(partition), "offset": int(offset), **rest} if (
            not rest and topic in QUARANTINE_TOPICS and 0 <= partition < topics.PARTITIONS and 0 <= offset < 2**63
        ):
            return Position(topic, partition, offset)
    raise _malformed(f"a position has a topic ({' or '.join(QUARANTINE_TOPICS)}), a partition and an offset")


def _malformed(message: str) -> management.Refused:
    return management.Refused(400, "malformed", message)
