"""Releases quarantined webhooks: verify and translate again, append the event and its outcome."""

import asyncio

from gateway.append.durable_append import DurableAppend
from gateway.append.spool import ProducerRecord
from gateway.http.refusals import Refusal
from gateway.intake.authentication import Authentication
from gateway.intake.reverification import NotReleasable, reverify
from providers.addressing import KeyedWebhook
from providers.contract import RefusedWebhook
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.events import Micros, Mode, Outcome, QuarantinedWebhook, topics
from stream.kafka.position import Position

DEADLINE_S = 10.0
"""Seconds that Kafka has for one record. Longer than for a webhook, since only an operator waits."""
Result = dict[str, object]
"""JSON: position and event id (`id`, if the record can be decoded) of a quarantined webhook, `released`, then `eventId`
and `to` (the topic), or `cause` and `detail`."""


class Release:
    """Releases one record at a time. Its methods block, and are for threads other than the event loop's.

    Must be created inside the running event loop, on which it appends.
    """

    def __init__(self, mode: Mode, codec: Codec, durable_append: DurableAppend, authentication: Authentication) -> None:
        self._mode: Mode = mode
        self._codec = codec
        self._durable_append = durable_append
        self._authentication = authentication
        self._loop = asyncio.get_running_loop()

    def release(self, position: Position, value: bytes | None, *, is_dry_run: bool) -> Result:
        """Verify and translate the quarantined webhook `value` again, append its event and outcome, return the result.

        A webhook that cannot be released appends nothing; the result has the cause, and nothing is raised. A dry run
        appends nothing either, and `released` says whether the webhook would be released. `value` is None if nothing is
        at `position`. Raises Unavailable if not all records are durable.
        """
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
            self._append(position, stored, addressed)
            log.info("webhook.released", id=stored.event_id, provider=stored.provider, topic=addressed.topic.name)
        return {**result, "released": True, "eventId": addressed.webhook.envelope.event_id, "to": addressed.topic.name}

    def append(self, *records: ProducerRecord) -> None:
        """Append records in order; return once all are durable. Raises Unavailable at the first that is not."""

        async def append() -> None:
            for record in records:
                await self._durable_append.append(record, object(), DEADLINE_S)

        asyncio.run_coroutine_threadsafe(append(), self._loop).result()

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

    def _append(self, position: Position, stored: QuarantinedWebhook, addressed: KeyedWebhook) -> None:
        """Append the event, then its outcome twice: behind the record, for listings, and for the console."""
        outcome = self._codec.encode(_outcome(position, stored))
        self.append(
            ProducerRecord(addressed.topic.name, addressed.key, self._codec.encode(addressed.webhook)),
            *(ProducerRecord(topic, stored.event_id, outcome) for topic in (position.topic, topics.OUTCOMES.name)),
        )


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
        at=Micros(clock.now()),
    )
