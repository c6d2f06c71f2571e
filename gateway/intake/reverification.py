"""Verifies and translates a quarantined webhook again, with the current settings and its original time of receipt."""

from gateway.intake.authentication import Authentication
from gateway.intake.quarantine import PAUSED
from providers import catalogue
from providers.addressing import KeyedWebhook
from providers.contract import Provider, Received
from providers.records import webhook_record
from stream.events import Mode, QuarantinedWebhook, Verification


class NotReleasable(Exception):
    """The webhook stays in the quarantine; `cause` is a code such as `unknown_path`, the message a sentence."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


def reverify(stored: QuarantinedWebhook, authentication: Authentication, mode: Mode) -> KeyedWebhook:
    """Return the event that `stored` becomes with the current settings and modules, received when it arrived.

    `mode` is that of this system. Raises NotReleasable if the provider is not active, or the provider, path or mode of
    `stored` does not fit this gateway, Refusal if `stored` is not authentic, and RefusedWebhook if it cannot be
    translated.
    """
    provider, kind = _sender(stored)
    if not authentication.is_active(provider):
        cause = "webhook_secret_not_configured" if provider.no_secret_response else "provider_not_configured"
        raise NotReleasable(cause, authentication.activation_hint(provider))
    received = Received(stored.path, stored.headers, stored.raw, stored.received_at)
    verification = _verification(stored, provider, received, authentication)
    translation = authentication.translate(provider, kind, received, verification)
    if (translation.mode or stored.mode) != mode:
        detail = f"the webhook is of {translation.mode or stored.mode} mode, this system of {mode} mode"
        raise NotReleasable("other_mode", detail)
    return webhook_record(provider, received, verification, translation, mode)


def _sender(stored: QuarantinedWebhook) -> tuple[Provider, str]:
    """Return the provider and the kind of webhook that the stored path has today."""
    if stored.path not in catalogue.BY_PATH:
        raise NotReleasable("unknown_path", f"no provider has the path {stored.path} any more")
    provider, kind = catalogue.find(stored.path, stored.headers)
    if provider.name != stored.provider:
        detail = f"{stored.path} belongs to {provider.name} now, and this webhook came from {stored.provider}"
        raise NotReleasable("unknown_path", detail)
    return provider, kind


def _verification(
    stored: QuarantinedWebhook, provider: Provider, received: Received, authentication: Authentication
) -> Verification:
    """Return how the webhook is verified today; raises Refusal if it is not.

    A token in the URL is not stored, so a webhook that was verified by its token counts as verified. A webhook that a
    pause quarantined does too: it was verified when it arrived, and its secret may have been replaced since.
    """
    if stored.verification == "shared_secret" or stored.cause == PAUSED:
        return stored.verification
    return authentication.authenticate(provider, received)
