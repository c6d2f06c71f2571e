"""Serves webhook requests: read the body, authenticate, translate, append, answer.

A 2xx answer means that the record is durable: all in-sync replicas of Kafka have it, or the spool has fsynced it.
"""

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import NoReturn

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import ProducerRecord
from gateway.http.body_reader import BodyReader
from gateway.http.guard import Receive, Scope, Send, respond
from gateway.http.refusals import CLOSING, STATUS, Refusal
from gateway.intake.admission import UNSIGNED, Admission
from gateway.intake.authentication import Authentication
from gateway.intake.quarantine import Quarantine
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
"""The limit for a body without a signature: anybody can post one, and it is stored until it is confirmed or expires."""
MAX_NOTES = 20
"""The most ignored fields that one log line names."""


class Webhooks:
    """The ASGI application for POST requests to every path of the catalogue."""

    def __init__(
        self,
        settings: GatewaySettings,
        codec: Codec,
        appender: Appender,
        durable_append: DurableAppend,
        authentication: Authentication,
        shared: memoryview | None = None,
    ) -> None:
        """`shared` is memory in which several workers count requests together; None when this process counts alone."""
        self._settings = settings
        self._codec = codec
        self._durable_append = durable_append
        self._authentication = authentication
        self._admission = Admission(settings, authentication, shared)
        self._body_reader = BodyReader(settings.max_body_bytes, settings.body_timeout_s)
        metrics.ACCEPTED.counts.update({(row.name,): 0 for row in catalogue.ROWS})
        self._rejections = Rejections(codec, appender, settings.workers)
        self._quarantine = Quarantine(settings.mode, codec, durable_append, settings.workers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST request that passed the guard. Every failure is answered; none is raised."""
        provider, kind = catalogue.find(scope["path"], scope["parsed_headers"])
        started = monotonic()
        body = b""
        try:
            source = self._admission.admit(scope, provider)
            body = await self._body_reader.read(receive, _content_length(scope["parsed_headers"]))
            received = Received(scope["path"], scope["parsed_headers"], body, clock.now(), scope["token"], source)
            if refusal := scope.get("media_refusal"):
                await self._refuse_media(provider, received, refusal)
            answer = await self._accept(provider, kind, received)
        except Exception as failure:  # noqa: BLE001 - the sender gets an answer whatever fails
            refusal = _refusal(failure, scope["path"])
            answer = provider.refusal(refusal.cause, refusal.message) or refusal.answer()
            self._rejections.record(refusal, provider.name, answer.status, scope, body)
            await respond(send, answer, refusal.headers)
        else:
            metrics.ACCEPTED.counts[(provider.name,)] += 1
            await respond(send, answer, {})
        metrics.record_response(scope["path"], answer.status, monotonic() - started)

    def on_guard_refusal(self, refusal: Refusal, scope: Scope) -> Refusal:
        """Record a refusal by the guard; return the refusal to answer with.

        That is `rate_limited` if the source has sent too many requests and the connection can stay open.
        """
        row = catalogue.BY_PATH.get(scope["path"])
        limited = self._admission.limited(scope)
        if limited and refusal.cause not in CLOSING:
            refusal = limited
        status = STATUS[refusal.cause]
        self._rejections.record(refusal, row[0].name if row else "unknown", status, scope, b"")
        metrics.record_response(scope["path"], status)
        return refusal

    async def _accept(self, provider: Provider, kind: str, received: Received) -> WebhookResponse:
        """Authenticate, translate and append a webhook; quarantine an authentic one that cannot be handled.

        Raises Refusal if the webhook is refused, and Unavailable if neither Kafka nor the spool has it.
        """
        started = monotonic()
        if provider.without_secret and not self._authentication.is_active(provider):
            _check_unsigned(received.body)
            await self._quarantine.store_unverified(provider, received)
            return provider.without_secret
        verification = self._authentication.authenticate(provider, received)
        if verification == UNSIGNED:
            _check_unsigned(received.body)
        self._admission.admit_verified(provider, verification, len(received.body))
        try:
            with notes.collected() as ignored:
                translation = self._authentication.translate(provider, kind, received, verification)
            if ignored:
                translation = replace(translation, notes=(*translation.notes, *ignored[:MAX_NOTES]))
        except RefusedWebhook as refused:
            return await self._quarantine_refused(provider, received, verification, refused)
        if translation.mode not in (None, self._settings.mode):
            detail = f"of {translation.mode} mode, and this is {self._settings.mode}"
            return await self._quarantine.store(provider, received, verification, "other_mode", detail)
        envelope, is_spooled = await self._append(provider, received, verification, translation)
        metrics.ACK_SECONDS.observe(monotonic() - started)
        if is_spooled and provider.spooled:
            return provider.spooled
        return provider.answer(envelope.event_id, envelope.event_type)

    async def _refuse_media(self, provider: Provider, received: Received, refusal: Refusal) -> NoReturn:
        """Raise `refusal`, or Unavailable; quarantine a signed body first, as its sender cannot send another type."""
        verification = self._verification(provider, received)
        if verification not in (None, UNSIGNED):
            self._admission.admit_verified(provider, verification, len(received.body))
            await self._quarantine.store(provider, received, verification, refusal.cause, refusal.message)
        raise refusal

    def _verification(self, provider: Provider, received: Received) -> Verification | None:
        try:
            return self._authentication.authenticate(provider, received)
        except Refusal:
            return None

    async def _append(
        self, provider: Provider, received: Received, verification: Verification, translation: Translation
    ) -> tuple[Envelope, bool]:
        """Append the event; return its envelope and whether it is only in the spool.

        A retry that arrives while the first record is in flight shares that record.
        """
        topic, key, event = webhook(provider, received, verification, translation, self._settings.mode)
        envelope = event.envelope
        order = getattr(translation.notice, "order_id", None)
        ids = {"id": envelope.event_id, "provider": provider.name, **({"order_id": order} if order else {})}
        log.info("webhook.received", type=envelope.event_type, **ids)
        if translation.notes:
            log.warning("webhook.fields_ignored", error="; ".join(translation.notes), **ids)
        record = ProducerRecord(topic.name, key, self._codec.encode(event))
        dedup_key = (envelope.event_id, envelope.digest)
        return envelope, await self._durable_append.append(record, dedup_key, provider.deadline_s)

    async def _quarantine_refused(
        self, provider: Provider, received: Received, verification: Verification, refused: RefusedWebhook
    ) -> WebhookResponse:
        """Quarantine a body that its provider's translation refused.

        Returns a success answer for an unsupported type, unless the provider has a refusal of its own for it; raises
        Refusal otherwise.
        """
        answer = await self._quarantine.store(provider, received, verification, refused.cause, str(refused))
        if refused.cause == "unsupported_type" and refused.cause not in provider.refusals:
            return answer
        raise Refusal(refused.cause, str(refused)) from refused


def _refusal(failure: Exception, path: str) -> Refusal:
    """Return the refusal to answer a failure with; it has no reference to the frame that raised the failure.

    The handler keeps the refusal in a local variable. With a traceback, each refused body would be part of a reference
    cycle, which only the garbage collector frees.
    """
    match failure:
        case Refusal():
            return failure.with_traceback(None)
        case Unavailable():
            return Refusal("unavailable", NOT_STORED, retry_after=RETRY_AFTER_S)
        case _:
            log.exception("webhook.failed", path=path)
            return Refusal("internal_error", "this webhook was not accepted because of an error in hookstream")


def _content_length(headers: Mapping[str, str]) -> int | None:
    """Return the Content-Length, which the guard has checked; None for a chunked body."""
    return None if "transfer-encoding" in headers else int(headers["content-length"])


def _check_unsigned(body: bytes) -> None:
    if len(body) > MAX_UNSIGNED_BYTES:
        raise Refusal("body_too_large", f"a body without a signature has at most {MAX_UNSIGNED_BYTES} bytes")
