"""What is not accepted and yet kept: refused requests, and genuine ones that nobody can read."""

from time import monotonic

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import Spooled
from gateway.http.guard import Scope
from gateway.http.refusals import Refusal, kept
from gateway.http.token_bucket import TokenBucket
from providers.contract import Provider, Received, WebhookResponse
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import Mode, QuarantinedWebhook, Verification, ids, topics

SERVER_ERROR = 500
KEPT_REJECTIONS = (20.0, 100.0)
"""So many refusals a second reach their topic, and a burst above that: an attacker does not fill our disks."""
KEPT_UNVERIFIED = (8_192.0, 4_194_304.0)
"""Bytes a second, and a burst, of unverified bodies that are stored: at most 21 GB in their 30 days."""


class Rejections:
    """Counts and keeps refusals, and the webhooks of the quarantine."""

    def __init__(self, mode: Mode, codec: Codec, appender: Appender, custody: DurableAppend, workers: int = 1) -> None:
        """`workers` is the number of processes that share the budget evenly."""
        self._mode: Mode = mode
        self._codec = codec
        self._appender = appender
        self._custody = custody
        self._rejections = TokenBucket(*(limit / workers for limit in KEPT_REJECTIONS))
        self._unverified = TokenBucket(*(limit / workers for limit in KEPT_UNVERIFIED))

    def rejected(self, refusal: Refusal, provider: str, status: int, scope: Scope, body: bytes) -> None:
        """Count a refusal answered with `status`, log it, and publish what an investigation needs without waiting.

        A refusal by our own fault (5xx) is a warning.
        """
        metrics.REJECTED.labels(provider, refusal.cause).inc()
        write = log.warning if status >= SERVER_ERROR else log.info
        write("webhook.rejected", cause=refusal.cause, provider=provider, status=status)
        if refusal.cause == "unavailable" or self._rejections.take(monotonic()):
            return
        record = kept(refusal, provider, scope["path"], scope.get("kept", {}), body, clock.now())
        try:
            self._appender.send(topics.REJECTED.name, provider, self._codec.encode(record))
        except Unavailable:
            log.warning("rejection.not_kept", provider=provider)

    async def keep(
        self, provider: Provider, received: Received, verification: Verification, cause: str, detail: str
    ) -> WebhookResponse:
        """Keep a genuine webhook that is not handled, to be verified and read again one day; what to answer.

        Raises Unavailable.
        """
        record = self._record(provider, received, verification, cause, detail)
        await self._take(topics.QUARANTINE.name, record, provider)
        log.info("webhook.quarantined", cause=cause, id=record.event_id, provider=provider.name)
        return provider.answer(record.event_id, cause)

    async def keep_unverified(self, provider: Provider, received: Received) -> None:
        """Contract C without its secret: whatever is posted is kept for a month, and no more of it than fits.

        Raises Unavailable.
        """
        if not self._unverified.take(monotonic(), len(received.body)):
            cause = "webhook_secret_not_configured"
            record = self._record(provider, received, "unsigned_allowed", cause, "no secret is set")
            await self._take(topics.UNVERIFIED.name, record, provider)

    async def _take(self, topic: str, record: QuarantinedWebhook, provider: Provider) -> None:
        spooled = Spooled(topic, record.event_id, self._codec.encode(record))
        await self._custody.take(spooled, record.event_id, provider.deadline_s)

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
            received_at=received.received_at,
            path=received.path,
            headers=provider.keep(received.headers),
            raw=received.body,
        )
