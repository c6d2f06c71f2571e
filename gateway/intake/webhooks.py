"""One webhook: body → proof → translation → Kafka → answer. A 2xx means that Kafka has it."""

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import NoReturn

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import Spooled
from gateway.http.body_reader import Bodies
from gateway.http.guard import Receive, Scope, Send, respond
from gateway.http.refusals import CLOSING, STATUS, Refusal
from gateway.intake.admission import UNSIGNED, Admission
from gateway.intake.authentication import Authentication
from gateway.intake.rejections import Rejections
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Provider, Received, RefusedWebhook, Translation, WebhookResponse
from providers.parsing import notes
from providers.records import webhook
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import Envelope, Verification

RETRY_AFTER_S = "5"
NOT_STORED = "not stored, please send it again"
MAX_UNSIGNED_BYTES = 65_536
"""The limit for a body without a signature: anybody may post one, and it is stored until it is confirmed or expires."""
MAX_NOTES = 20
"""The most ignored fields that one log line names."""


class Webhooks:
    """Serves every path of the catalogue."""

    def __init__(
        self,
        settings: GatewaySettings,
        codec: Codec,
        appender: Appender,
        custody: DurableAppend,
        proof: Authentication,
        shared: memoryview | None = None,
    ) -> None:
        """`shared` is the memory in which several workers count requests together."""
        self._settings = settings
        self._codec = codec
        self._custody = custody
        self._proof = proof
        self._admission = Admission(settings, proof, shared)
        self._bodies = Bodies(settings.max_body_bytes, settings.body_timeout_s)
        metrics.ACCEPTED.counts.update({(row.name,): 0 for row in catalogue.ROWS})
        self._aside = Rejections(settings.mode, codec, appender, custody, settings.workers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST that the guard let through."""
        provider, kind = catalogue.find(scope["path"], scope["kept"])
        started = monotonic()
        body = b""
        try:
            source = self._admission.admit(scope, provider)
            body = await self._bodies.read(receive, _length(scope["kept"]))
            received = Received(scope["path"], scope["kept"], body, clock.now(), scope["token"], source)
            if media := scope.get("media"):
                await self._refuse_media(provider, received, media)
            answer = await self._accept(provider, kind, received)
        except Exception as why:  # noqa: BLE001 - whatever fails, its sender is answered
            refusal = _refusal(why, scope["path"])
            answer = provider.refusal(refusal.cause, refusal.message) or refusal.answer()
            self._aside.rejected(refusal, provider.name, answer.status, scope, body)
            await respond(send, answer, refusal.headers)
        else:
            metrics.ACCEPTED.counts[(provider.name,)] += 1
            await respond(send, answer, {})
        metrics.answered(scope["path"], answer.status, monotonic() - started)

    def refused(self, refusal: Refusal, scope: Scope) -> Refusal:
        """Note a refusal of the guard's; what to answer, which is `rate_limited` when its source has sent too many."""
        at = catalogue.BY_PATH.get(scope["path"])
        limited = self._admission.limited(scope)
        if limited and refusal.cause not in CLOSING:
            refusal = limited
        status = STATUS[refusal.cause]
        self._aside.rejected(refusal, at[0].name if at else "unknown", status, scope, b"")
        metrics.answered(scope["path"], status)
        return refusal

    async def _accept(self, provider: Provider, kind: str, received: Received) -> WebhookResponse:
        """Prove, translate and append; refuse what is forged, keep aside what is genuine and cannot be handled."""
        started = monotonic()
        if provider.without_secret and not self._proof.is_active(provider):
            _check_unsigned(received.body)
            await self._aside.keep_unverified(provider, received)
            return provider.without_secret
        verification = self._proof.prove(provider, received)
        if verification == UNSIGNED:
            _check_unsigned(received.body)
        self._admission.admit_verified(provider, verification, len(received.body))
        try:
            with notes.collected() as unused:
                told = self._proof.translate(provider, kind, received, verification)
            told = replace(told, notes=(*told.notes, *unused[:MAX_NOTES])) if unused else told
        except RefusedWebhook as why:
            return await self._quarantine(provider, received, verification, why)
        if told.mode not in (None, self._settings.mode):
            other = f"of {told.mode} mode, and this is {self._settings.mode}"
            return await self._aside.keep(provider, received, verification, "other_mode", other)
        envelope, spooled = await self._append(provider, received, verification, told)
        metrics.ACK_SECONDS.observe(monotonic() - started)
        if spooled and provider.spooled:
            return provider.spooled
        return provider.answer(envelope.event_id, envelope.event_type)

    async def _refuse_media(self, provider: Provider, received: Received, media: Refusal) -> NoReturn:
        """Store a body of a wrong media type that somebody signed: its sender will not send it in another.

        Raises `media`, or Unavailable.
        """
        verification = self._proved(provider, received)
        if verification not in (None, UNSIGNED):
            self._admission.admit_verified(provider, verification, len(received.body))
            await self._aside.keep(provider, received, verification, media.cause, media.message)
        raise media

    def _proved(self, provider: Provider, received: Received) -> Verification | None:
        try:
            return self._proof.prove(provider, received)
        except Refusal:
            return None

    async def _append(
        self, provider: Provider, received: Received, verification: Verification, told: Translation
    ) -> tuple[Envelope, bool]:
        """Append the event, and say whether it is only spooled; the same posted again meanwhile is the same record."""
        topic, key, event = webhook(provider, received, verification, told, self._settings.mode)
        envelope = event.envelope
        order = getattr(told.notice, "order_id", None)
        names = {"id": envelope.event_id, "provider": provider.name, **({"order_id": order} if order else {})}
        log.info("webhook.received", type=envelope.event_type, **names)
        if told.notes:
            log.warning("webhook.fields_ignored", error="; ".join(told.notes), **names)
        record, name = Spooled(topic.name, key, self._codec.encode(event)), (envelope.event_id, envelope.digest)
        return envelope, await self._custody.take(record, name, provider.deadline_s)

    async def _quarantine(
        self, provider: Provider, received: Received, verification: Verification, why: RefusedWebhook
    ) -> WebhookResponse:
        """Keep the bytes; refuse what cannot be read, accept what is merely not for us."""
        answer = await self._aside.keep(provider, received, verification, why.cause, str(why))
        if why.cause == "unsupported_type" and why.cause not in provider.refusals:
            return answer
        raise Refusal(why.cause, str(why)) from why


def _refusal(why: Exception, path: str) -> Refusal:
    """Return what a failure is answered with, and nothing that refers to the frame it was raised in.

    The handler keeps it in a local variable: with its traceback, each refused body would be garbage in a cycle.
    """
    match why:
        case Refusal():
            return why.with_traceback(None)
        case Unavailable():
            return Refusal("unavailable", NOT_STORED, retry_after=RETRY_AFTER_S)
        case _:
            log.exception("webhook.failed", path=path)
            return Refusal("internal_error", "this webhook was not accepted, for a reason that is ours")


def _length(headers: Mapping[str, str]) -> int | None:
    """Return the Content-Length, which the guard has checked; None when the body comes in chunks."""
    return None if "transfer-encoding" in headers else int(headers["content-length"])


def _check_unsigned(body: bytes) -> None:
    if len(body) > MAX_UNSIGNED_BYTES:
        raise Refusal("body_too_large", f"a body without a signature has at most {MAX_UNSIGNED_BYTES} bytes")
