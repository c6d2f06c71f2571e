"""One webhook: body → proof → translation → Kafka → answer. A 2xx means that Kafka has it."""

from collections.abc import Hashable
from time import monotonic

from gateway import metrics
from gateway.appender import Appender, Unavailable
from gateway.aside import Aside
from gateway.guard import Receive, Scope, Send, respond
from gateway.limits import TokenBucket
from gateway.patience import OutOfPatience, Patience
from gateway.refusals import Refusal
from gateway.settings import GatewaySettings
from providers.catalogue import BY_PATH
from providers.contract import Forged, Provider, Received, Refused, Stale, Translation
from providers.webhook import webhook
from runtime import clock
from runtime.logging import log
from stream import topics
from stream.codec import Codec
from stream.events import Record, Verification

RETRY_AFTER_S = "5"


class Webhooks:
    """Serves every path of the catalogue."""

    def __init__(self, settings: GatewaySettings, codec: Codec, appender: Appender) -> None:
        self._settings = settings
        self._codec = codec
        self._appender = appender
        self._secrets = {provider.name: settings.secrets(provider.secret_setting) for provider, _ in BY_PATH.values()}
        self._allowed = {provider.name: settings.allowed_ips(provider.name) for provider, _ in BY_PATH.values()}
        self._rate = TokenBucket(*rate) if (rate := settings.rate()) else None
        self._bodies = Patience(settings.body_timeout_s)
        self._aside = Aside(settings.mode, codec, appender)
        self._accepted = {provider.name: metrics.ACCEPTED.labels(provider.name) for provider, _ in BY_PATH.values()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST that the guard let through."""
        provider, kind = BY_PATH[scope["path"]]
        body = b""
        try:
            self._admit(scope, provider)
            body = await self._read(receive)
            await self._accept(provider, kind, Received(scope["path"], scope["kept"], body, clock.now()))
        except Refusal as refusal:
            self.refused(refusal, scope, body)
            return await respond(send, refusal.answer(), refusal.headers)
        self._accepted[provider.name].inc()
        await respond(send, provider.success, {})

    def refused(self, refusal: Refusal, scope: Scope, body: bytes = b"") -> None:
        """Note a refusal, the guard's too."""
        at = BY_PATH.get(scope["path"])
        self._aside.rejected(refusal, at[0].name if at else "unknown", scope, body)

    def _admit(self, scope: Scope, provider: Provider) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        if self._allowed[provider.name] and address not in self._allowed[provider.name]:
            raise Refusal("source_not_allowed", "webhooks of this provider are not taken from your address")
        if self._rate and (wait := self._rate.take(monotonic())):
            raise Refusal("rate_limited", "too many requests", retry_after=str(int(wait) + 1))

    async def _read(self, receive: Receive) -> bytes:
        """The whole body, no longer than allowed and within its time."""
        try:
            return await self._bodies.wait_for(_gather(receive, self._settings.max_body_bytes))
        except OutOfPatience:
            raise Refusal("body_timeout", f"no whole body within {self._settings.body_timeout_s:g} s") from None

    async def _accept(self, provider: Provider, kind: str, received: Received) -> None:
        """Prove, translate and append; refuse what is forged, quarantine what is genuine but unreadable."""
        started = monotonic()
        verification = self._prove(provider, received)
        try:
            told = provider.translate(received, kind)
        except Refused as unreadable:
            record = self._aside.quarantined(provider, received, verification, unreadable)
            await self._appended(topics.QUARANTINE.name, record.event_id, record, record.event_id)
            raise Refusal(unreadable.cause, str(unreadable)) from unreadable
        await self._append(provider, received, verification, told)
        metrics.ACK_SECONDS.observe(monotonic() - started)

    def _prove(self, provider: Provider, received: Received) -> Verification:
        secrets = self._secrets[provider.name]
        if not secrets:  # the settings allow that only with WEBHOOK_ALLOW_UNSIGNED
            return "unsigned_allowed"
        try:
            return provider.verify(received, secrets)
        except (Forged, Stale) as forged:
            raise Refusal(forged.cause, str(forged)) from forged

    async def _append(
        self, provider: Provider, received: Received, verification: Verification, told: Translation
    ) -> None:
        """Append the event; the same webhook posted again meanwhile waits for the same record."""
        topic, key, event = webhook(provider, received, verification, told, self._settings.mode)
        envelope = event.envelope
        log.info("webhook.received", type=envelope.event_type, id=envelope.event_id)
        name = (envelope.event_id, envelope.digest)
        await self._appended(topic.name, key, event, name)

    async def _appended(self, topic: str, key: str, record: Record, name: Hashable) -> None:
        try:
            await self._appender.append(topic, key, self._codec.encode(record), name)
        except Unavailable:
            raise Refusal("unavailable", "not stored, please send it again", retry_after=RETRY_AFTER_S) from None


async def _gather(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal("malformed_request", "the body ended before its length")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise Refusal("body_too_large", f"the body is longer than {limit} bytes")
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
