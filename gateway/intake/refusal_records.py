"""Counts, logs and publishes refusals, on `webhooks.rejected.v1`."""

from collections.abc import Mapping
from hashlib import sha256
from time import monotonic

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.http.guard import Scope, guarded
from gateway.http.refusals import Refusal
from gateway.http.token_bucket import TokenBucket
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import Micros, RejectedWebhook, topics

RECORDED_HEADERS = ("content-length", "content-type", "host", "user-agent")
EXCERPT_BYTES = 2048
PATH_CHARS = 256
SERVER_ERROR = 500
PUBLISHED_REFUSALS = (20.0, 100.0)
"""Refusals a second, and a burst, that are published: an attacker cannot fill the disks of the brokers.

Those that a retired secret has signed have as many again, since a flood of forgeries must not hide a failed rotation.
"""


class PublishingLimit:
    """The limits of PUBLISHED_REFUSALS, of which each of `workers` processes has an equal share."""

    def __init__(self, workers: int = 1) -> None:
        share = [limit / workers for limit in PUBLISHED_REFUSALS]
        self._unproved, self._signed_by_retired = TokenBucket(*share), TokenBucket(*share)

    def permits(self, refusal: Refusal, now: float) -> bool:
        """Return whether this refusal may be published, and count it; `now` is in seconds of a steady clock."""
        bucket = self._signed_by_retired if refusal.retired_secret else self._unproved
        return not bucket.take(now)


class RefusalRecords:
    """Records refusals in metrics, log and `webhooks.rejected.v1`."""

    def __init__(self, codec: Codec, appender: Appender, workers: int = 1) -> None:
        """`workers` processes share the rate of PUBLISHED_REFUSALS evenly."""
        self._codec = codec
        self._appender = appender
        self._limit = PublishingLimit(workers)

    def add(self, refusal: Refusal, provider: str, status: int, scope: Scope, body: bytes, source: str | None) -> None:
        """Count and log a refusal answered with `status`; publish it within PUBLISHED_REFUSALS, not waiting for Kafka.

        `provider` is a name or `unknown`, `source` as `Admission.source` returns it. A 5xx status is logged as a
        warning, since its cause is ours. `unavailable` is never published.
        """
        metrics.REFUSED.labels(provider, refusal.cause).inc()
        write = log.warning if status >= SERVER_ERROR else log.info
        ids = {"fingerprint": refusal.retired_secret} if refusal.retired_secret else {}
        write("webhook.refused", cause=refusal.cause, provider=provider, status=status, **ids)
        if refusal.cause == "unavailable" or not self._limit.permits(refusal, monotonic()):
            return
        headers = guarded(scope).headers
        record = refusal_record(refusal, provider, scope["path"], headers, body, clock.now(), source)
        try:
            self._appender.send(topics.REFUSALS.name, provider, self._codec.encode(record))
        except Unavailable:
            log.warning("refusal.not_recorded", provider=provider)


def refusal_record(
    refusal: Refusal, provider: str, path: str, headers: Mapping[str, str], body: bytes, at: int, source: str | None
) -> RejectedWebhook:
    """Return the record of a refusal: digest and excerpt of the body, RECORDED_HEADERS. `at` is in microseconds."""
    return RejectedWebhook(
        provider=provider,
        path=path[:PATH_CHARS],
        cause=refusal.cause,
        headers={name: headers[name][:PATH_CHARS] for name in RECORDED_HEADERS if name in headers},
        digest=sha256(body).digest(),
        excerpt=body[:EXCERPT_BYTES],
        received_at=Micros(at),
        source=source,
        retired_secret=refusal.retired_secret,
    )
