"""Serves webhook requests: read the body, authenticate, translate, append, answer.

A 2xx answer means that the record is durable: all in-sync replicas of Kafka have it, or the spool has fsynced it. Only
a body that cannot be verified, because its provider's secret is not set, may be dropped (`no_secret_response`).
"""

from time import monotonic

from gateway import metrics
from gateway.append.appender import Appender
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import ProducerRecord
from gateway.http.body_reader import BodyReader, content_length
from gateway.http.guard import Receive, Scope, Send, guarded, respond
from gateway.http.refusals import Refusal
from gateway.intake.admission import Admission, check_unsigned
from gateway.intake.authentication import Authentication
from gateway.intake.provider_states import ProviderStates
from gateway.intake.quarantine import PAUSED, Quarantine
from gateway.intake.refusal_answers import RefusalAnswers
from gateway.intake.refusal_records import RefusalRecords
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Provider, Received, RefusedWebhook, Translation
from providers.records import webhook_record
from providers.responses import WebhookResponse
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import Envelope, Micros, Verification


class WebhookEndpoint:
    """The ASGI application for the POST requests that passed the guard, to every path of the catalogue."""

    def __init__(
        self,
        settings: GatewaySettings,
        codec: Codec,
        appender: Appender,
        durable_append: DurableAppend,
        authentication: Authentication,
        states: ProviderStates,
        shared: memoryview | None = None,
    ) -> None:
        """`shared` is memory in which several workers count requests together; None when this process counts alone."""
        self._settings = settings
        self._codec = codec
        self._durable_append = durable_append
        self._authentication = authentication
        self._states = states
        self._admission = Admission(settings, authentication, shared)
        self._body_reader = BodyReader(settings.max_body_bytes, settings.body_timeout_s)
        metrics.ACCEPTED.counts.update({(row.name,): 0 for row in catalogue.ROWS})
        self._quarantine = Quarantine(settings.mode, codec, durable_append, settings.workers)
        records = RefusalRecords(codec, appender, settings.workers)
        self._refusals = RefusalAnswers(authentication, self._admission, self._quarantine, records)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST request that passed the guard. A failure from admission to append is answered."""
        request = guarded(scope)
        provider, kind = catalogue.find(scope["path"], request.headers)
        started = monotonic()
        body = b""
        try:
            source = self._admission.admit(scope, provider)
            body = await self._body_reader.read(receive, content_length(request.headers))
            received = Received(scope["path"], request.headers, body, Micros(clock.now()), request.token, source)
            answer = await self._accept(provider, kind, received, request.media_refusal)
        except Exception as failure:  # noqa: BLE001 - the sender gets an answer whatever fails
            answer, headers = self._refusals.answer(failure, provider, scope, body)
            await respond(send, answer, headers)
        else:
            metrics.ACCEPTED.counts[(provider.name,)] += 1
            await respond(send, answer, {})
        metrics.record_response(scope["path"], answer.status, monotonic() - started)

    def on_guard_refusal(self, refusal: Refusal, scope: Scope) -> Refusal:
        """Record a refusal by the guard; return the refusal to answer with, which may be `rate_limited` instead."""
        return self._refusals.on_guard_refusal(refusal, scope)

    async def _accept(
        self, provider: Provider, kind: str, received: Received, media_refusal: Refusal | None
    ) -> WebhookResponse:
        """Authenticate, translate and append a webhook; quarantine an authentic one that cannot be handled.

        `media_refusal` refuses a body of a wrong media type. Of a provider with a `no_secret_response` and without a
        secret, store the body unverified, or drop it beyond UNVERIFIED_BYTES. Raises Refusal if the webhook is refused,
        and Unavailable if neither Kafka nor the spool has it.
        """
        started = monotonic()
        if media_refusal:
            raise await self._refusals.media_refusal(provider, received, media_refusal)
        if provider.no_secret_response and not self._authentication.is_active(provider):
            check_unsigned(received.body)
            await self._quarantine.store_unverified(provider, received)
            return provider.no_secret_response
        verification = self._authentication.authenticate(provider, received)
        if verification == "unsigned_allowed":
            check_unsigned(received.body)
        self._admission.admit_verified(provider, verification, len(received.body))
        try:
            translation = self._authentication.translate(provider, kind, received, verification)
        except RefusedWebhook as refused:
            return await self._quarantine.store_refused(provider, received, verification, refused)
        if translation.mode not in (None, self._settings.mode):
            detail = f"the webhook is of {translation.mode} mode, this system of {self._settings.mode} mode"
            return await self._quarantine.store(provider, received, verification, "other_mode", detail)
        envelope, is_spooled = await self._append(provider, received, verification, translation)
        metrics.ACK_SECONDS.observe(monotonic() - started)
        if is_spooled and provider.spooled_response:
            return provider.spooled_response
        return provider.success_response(envelope.event_id, envelope.event_type)

    async def _append(
        self, provider: Provider, received: Received, verification: Verification, translation: Translation
    ) -> tuple[Envelope, bool]:
        """Append the event; return its envelope and whether it is only in the spool.

        The webhook of a paused provider is quarantined instead; its sender gets the same answer. A retry that arrives
        while the first record is in flight shares that record.
        """
        topic, key, event = webhook_record(provider, received, verification, translation, self._settings.mode)
        envelope = event.envelope
        if self._states.is_paused(provider.name):
            await self._quarantine.store(provider, received, verification, PAUSED, f"{provider.name} is paused")
            return envelope, False
        order = getattr(translation.payload, "order_id", None)
        ids = {"id": envelope.event_id, "provider": provider.name, **({"order_id": order} if order else {})}
        log.info("webhook.received", type=envelope.event_type, **ids)
        if translation.notes:
            log.warning("webhook.fields_ignored", error="; ".join(translation.notes), **ids)
        record = ProducerRecord(topic.name, key, self._codec.encode(event))
        dedup_key = (envelope.event_id, envelope.digest)
        return envelope, await self._durable_append.append(record, dedup_key, provider.deadline_s)
