"""What is not accepted and yet kept: refused requests, and genuine ones that nobody can read."""

from time import monotonic

from gateway import metrics
from gateway.appender import Appender, Unavailable
from gateway.guard import Scope
from gateway.limits import TokenBucket
from gateway.refusals import Refusal, kept
from providers.contract import Provider, Received
from runtime import clock
from runtime.logging import log
from stream import ids, topics
from stream.codec import Codec
from stream.events import Mode, QuarantinedWebhook, Verification

KEPT_REJECTIONS = (20.0, 100.0)
"""So many refusals a second reach their topic, and a burst above that: an attacker does not fill our disks."""


class Aside:
    """Counts and keeps refusals; makes the records of the quarantine."""

    def __init__(self, mode: Mode, codec: Codec, appender: Appender) -> None:
        self._mode: Mode = mode
        self._codec = codec
        self._appender = appender
        self._rejections = TokenBucket(*KEPT_REJECTIONS)

    def rejected(self, refusal: Refusal, provider: str, scope: Scope, body: bytes) -> None:
        """Count a refusal, log it, and keep what an investigation needs; nobody waits for that."""
        metrics.REJECTED.labels(provider, refusal.cause).inc()
        log.info("webhook.rejected", cause=refusal.cause, provider=provider)
        if refusal.cause == "unavailable" or self._rejections.take(monotonic()):
            return
        record = kept(refusal, provider, scope["path"], scope.get("kept", {}), body, clock.now())
        try:
            self._appender.send(topics.REJECTED.name, provider, self._codec.encode(record))
        except Unavailable:
            log.warning("rejection.not_kept", provider=provider)

    def kept(
        self, provider: Provider, received: Received, verification: Verification, cause: str, detail: str
    ) -> QuarantinedWebhook:
        """A webhook that is not handled, as it is kept: to be verified and read again one day."""
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
