"""Reads again what was kept aside, as today's settings and translators see it, and as of when it came."""

from gateway.intake.authentication import Authentication
from providers import catalogue
from providers.addressing import Addressed
from providers.contract import Provider, Received
from providers.records import webhook
from stream.events import Mode, QuarantinedWebhook, Verification


class Still(Exception):
    """This webhook stays where it is; `cause` in the words of the quarantine."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


def read(kept: QuarantinedWebhook, proof: Authentication, mode: Mode) -> Addressed:
    """The event of a webhook that was kept aside: the one it would have been, had it been read when it came.

    Raises Still, and as when it came Refusal where nothing proves it and providers.contract.Refused where it cannot
    be read.
    """
    provider, kind = _sender(kept)
    if not proof.is_active(provider):
        cause = "webhook_secret_not_configured" if provider.without_secret else "provider_not_configured"
        raise Still(cause, proof.missing(provider))
    received = Received(kept.path, kept.headers, kept.raw, kept.received_at)
    verification = _proved(kept, provider, received, proof)
    told = proof.translate(provider, kind, received, verification)
    if (told.mode or kept.mode) != mode:
        raise Still("other_mode", f"of {told.mode or kept.mode} mode, and this is {mode}")
    return webhook(provider, received, verification, told, mode)


def _sender(kept: QuarantinedWebhook) -> tuple[Provider, str]:
    if kept.path not in catalogue.BY_PATH:
        raise Still("unknown_path", f"nothing is served at {kept.path} any more")
    provider, kind = catalogue.find(kept.path, kept.headers)
    if provider.name != kept.provider:
        raise Still("unknown_path", f"{kept.path} is {provider.name}'s now, and this came from {kept.provider}")
    return provider, kind


def _proved(kept: QuarantinedWebhook, provider: Provider, received: Received, proof: Authentication) -> Verification:
    """A token travels in the URL, which nobody keeps: that it was right then has to do."""
    return kept.verification if kept.verification == "shared_secret" else proof.prove(provider, received)
