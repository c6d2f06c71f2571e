"""Counts, logs and publishes refused requests."""

from time import monotonic

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.http.guard import Scope
from gateway.http.refusals import Refusal, rejected_webhook
from gateway.http.token_bucket import TokenBucket
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import topics

SERVER_ERROR = 500
PUBLISHED_REJECTIONS = (20.0, 100.0)
"""Refusals a second, and a burst, that are published: an attacker cannot fill the disks of the brokers."""


class Rejections:
    """Records refusals in metrics, log and `webhooks.rejected.v1`."""

    def __init__(self, codec: Codec, appender: Appender, workers: int = 1) -> None:
        """`workers` processes share the rate of PUBLISHED_REJECTIONS evenly."""
        self._codec = codec
        self._appender = appender
        self._budget = TokenBucket(*(limit / workers for limit in PUBLISHED_REJECTIONS))

    def record(
        self, refusal: Refusal, provider: str, status: int, scope: Scope, body: bytes, source: str | None
    ) -> None:
        """Count and log a refusal answered with `status`; publish it within the budget, without waiting for Kafka.

        `source` is the sender's address as people read it. A 5xx status is logged as a warning, since the cause is on
        this side. `unavailable` is never published.
        """
        metrics.REJECTED.labels(provider, refusal.cause).inc()
        write = log.warning if status >= SERVER_ERROR else log.info
        ids = {"fingerprint": refusal.retired_secret} if refusal.retired_secret else {}
        write("webhook.rejected", cause=refusal.cause, provider=provider, status=status, **ids)
        if refusal.cause == "unavailable" or self._budget.take(monotonic()):
            return
        headers = scope.get("parsed_headers", {})
        record = rejected_webhook(refusal, provider, scope["path"], headers, body, clock.now(), source)
        try:
            self._appender.send(topics.REJECTED.name, provider, self._codec.encode(record))
        except Unavailable:
            log.warning("rejection.not_kept", provider=provider)
