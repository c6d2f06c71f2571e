"""Stores webhooks that cannot be handled yet, byte for byte, to be released later."""

from time import monotonic

from gateway.append.durable_append import DurableAppend
from gateway.append.spool import ProducerRecord
from gateway.http.refusals import Refusal
from gateway.http.token_bucket import TokenBucket
from providers.contract import Provider, Received, RefusedWebhook
from providers.responses import WebhookResponse
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import Micros, Mode, QuarantinedWebhook, Verification, ids, topics

PAUSED = "paused"
"""The cause of a webhook that is stored only because an operator has paused its provider."""
UNVERIFIED_BYTES = (8_192.0, 4_194_304.0)
"""Bytes a second, and a burst, of unverified bodies that are stored: at most 21 GB in their 30 days."""


class Quarantine:
    """Appends webhooks to `webhooks.quarantine.v1` and `webhooks.unverified.v1`."""

    def __init__(self, mode: Mode, codec: Codec, durable_append: DurableAppend, workers: int = 1) -> None:
        """`workers` processes share the rate of UNVERIFIED_BYTES evenly."""
        self._mode: Mode = mode
        self._codec = codec
        self._durable_append = durable_append
        self._unverified = TokenBucket(*(limit / workers for limit in UNVERIFIED_BYTES))

    async def store(
        self, provider: Provider, received: Received, verification: Verification, cause: str, detail: str
    ) -> WebhookResponse:
        """Quarantine an authentic webhook; return the provider's success answer.

        `cause` is a code such as `other_mode`, `detail` a sentence for the operator. Raises Unavailable if the webhook
        could not be stored.
        """
        record = self._record(provider, received, verification, cause, detail)
        await self._append(topics.QUARANTINE.name, record, provider)
        log.info("webhook.quarantined", cause=cause, id=record.event_id, provider=provider.name)
        return provider.success_response(record.event_id, cause)

    async def store_refused(
        self, provider: Provider, received: Received, verification: Verification, refused: RefusedWebhook
    ) -> WebhookResponse:
        """Quarantine a body that its provider's translation refused.

        Return the success answer for an unsupported type, unless the provider has a refusal of its own for it. Raises
        Refusal otherwise, and Unavailable if the webhook could not be stored.
        """
        answer = await self.store(provider, received, verification, refused.cause, str(refused))
        if refused.cause == "unsupported_type" and refused.cause not in provider.refusals:
            return answer
        raise Refusal(refused.cause, str(refused)) from refused

    async def store_unverified(self, provider: Provider, received: Received) -> None:
        """Store a body of a provider whose secret is not set, for 30 days; drop it beyond UNVERIFIED_BYTES.

        Raises Unavailable if the body could not be stored.
        """
        if not self._unverified.take(monotonic(), len(received.body)):
            cause = "webhook_secret_not_configured"
            record = self._record(provider, received, "unsigned_allowed", cause, "no secret is set")
            await self._append(topics.UNVERIFIED.name, record, provider)

    async def _append(self, topic: str, record: QuarantinedWebhook, provider: Provider) -> None:
        encoded = ProducerRecord(topic, record.event_id, self._codec.encode(record))
        await self._durable_append.append(encoded, record.event_id, provider.deadline_s)

    def _record(
        self, provider: Provider, received: Received, verification: Verification, cause: str, detail: str
    ) -> QuarantinedWebhook:
        return QuarantinedWebhook(
            event_id=ids.unreadable_body_id(provider.name, received.body),
            provider=provider.name,
            mode=self._mode,
            cause=cause,
            detail=detail,
            verification=verification,
            received_at=Micros(received.received_at),
            path=received.path,
            headers=provider.select_headers(received.headers),
            raw=received.body,
        )
