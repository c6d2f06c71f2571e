"""Decides the answer to a request that is not accepted, and has the refusal recorded."""

from collections.abc import Mapping

from gateway import metrics
from gateway.append.appender import Unavailable
from gateway.http.guard import Scope
from gateway.http.refusals import CLOSING, STATUS, Refusal
from gateway.intake.admission import Admission
from gateway.intake.authentication import Authentication
from gateway.intake.quarantine import Quarantine
from gateway.intake.refusal_records import RefusalRecords
from providers import catalogue
from providers.contract import Provider, Received
from providers.responses import WebhookResponse
from runtime.logging import log
from stream.events import Verification

RETRY_AFTER_S = "5"
NOT_STORED = "not stored, please send it again"


class RefusalAnswers:
    """Answers refused requests, whether the guard, the admission, the translation or Kafka refuses them."""

    def __init__(
        self, authentication: Authentication, admission: Admission, quarantine: Quarantine, records: RefusalRecords
    ) -> None:
        self._authentication = authentication
        self._admission = admission
        self._quarantine = quarantine
        self._records = records

    def answer(
        self, failure: Exception, provider: Provider, scope: Scope, body: bytes
    ) -> tuple[WebhookResponse, Mapping[str, str]]:
        """Record a failure to accept a webhook; return the answer and its additional headers.

        The answer is the provider's own for this cause if it has one, else in the gateway's format. A failure that is
        neither Refusal nor Unavailable is logged and answered as `internal_error`.
        """
        refusal = refusal_of(failure, scope["path"])
        answer = provider.refusal(refusal.cause, refusal.message) or refusal.answer()
        self._records.add(refusal, provider.name, answer.status, scope, body, self._admission.source(scope))
        return answer, refusal.headers

    def on_guard_refusal(self, refusal: Refusal, scope: Scope) -> Refusal:
        """Record a refusal by the guard; return the refusal to answer with.

        Return `rate_limited` instead of `refusal` if the source has sent too many requests and the connection can stay
        open. The request counts for its source.
        """
        row = catalogue.BY_PATH.get(scope["path"])
        limited = self._admission.limited(scope)
        if limited and refusal.cause not in CLOSING:
            refusal = limited
        status = STATUS[refusal.cause]
        name = row[0].name if row else "unknown"
        self._records.add(refusal, name, status, scope, b"", self._admission.source(scope))
        metrics.record_response(scope["path"], status)
        return refusal

    async def media_refusal(self, provider: Provider, received: Received, refusal: Refusal) -> Refusal:
        """Return `refusal`; quarantine an authentic body first, as its sender cannot send another media type.

        Raises another Refusal if the provider posts too much, Unavailable if the body could not be stored.
        """
        verification = self._verification(provider, received)
        if verification not in (None, "unsigned_allowed"):
            self._admission.admit_verified(provider, verification, len(received.body))
            await self._quarantine.store(provider, received, verification, refusal.cause, refusal.message)
        return refusal

    def _verification(self, provider: Provider, received: Received) -> Verification | None:
        try:
            return self._authentication.authenticate(provider, received)
        except Refusal:
            return None


def refusal_of(failure: Exception, path: str) -> Refusal:
    """Return the refusal to answer a failure with, without a traceback; log a failure that is a defect of hookstream.

    The caller keeps the refusal in a local variable. With a traceback, each refused body would be part of a reference
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
