"""Authenticates webhooks by the gateway's settings, on arrival and again on release from the quarantine."""

from dataclasses import replace

from gateway.http.refusals import Refusal
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Forged, Provider, Received, Stale, Translation, Unsigned
from providers.generic import kinds
from providers.parsing import notes
from stream.events import Verification

SHARED_SECRET = "WEBHOOK_SECRET"  # noqa: S105 - the name of the setting
"""Signs bodies of several kinds: those of contract A and of the shop."""
MAX_NOTES = 20


class Authentication:
    """The secrets of each provider, and which providers may post without a signature."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._secrets = {row.secret_setting: settings.secrets(row.secret_setting) for row in catalogue.ROWS}
        self._unsigned = {row.name for row in catalogue.ROWS if settings.allows_unsigned(row)}
        self._requires_type = settings.webhook_require_type
        # By row: a provider's own contract may go without a secret where contract E under its name may not.
        self._active = {id(row) for row in catalogue.ROWS if settings.is_active(row)}

    def is_active(self, provider: Provider) -> bool:
        """Return whether this row accepts webhooks: it is not switched off, and has a secret if it needs one."""
        return id(provider) in self._active

    def activation_hint(self, provider: Provider) -> str:
        """Return a sentence with the settings that switch this provider's webhooks on."""
        name = provider.name.upper()
        if provider.is_unsigned:
            confirmation = (
                "; they are unsigned, so each is confirmed at the provider's API, for which the confirmer needs "
                f"{name}_API_KEY"
            )
            return f"{name} webhooks are not switched on: set {name}_ACTIVE=true at the gateway{confirmation}"
        return f"{name} webhooks are not switched on: set {provider.secret_setting}, and not {name}_ACTIVE=false"

    def authenticate(self, provider: Provider, received: Received) -> Verification:
        """Return how a request was verified; raises Refusal if its signature is missing, wrong or too old."""
        secrets = self._secrets[provider.secret_setting]
        if not secrets:  # the settings allow that only with an unsigned provider, or with ..._ALLOW_UNSIGNED
            return "unsigned_allowed"
        try:
            return provider.verify(received, secrets)
        except (Forged, Stale) as forged:
            if isinstance(forged, Unsigned) and provider.name in self._unsigned:
                return "unsigned_allowed"
            raise Refusal(forged.cause, str(forged)) from forged

    def translate(self, provider: Provider, kind: str, received: Received, verification: Verification) -> Translation:
        """Translate an authenticated request; `kind` is that of its path.

        Its notes name at most MAX_NOTES ignored fields.
        Raises providers.contract.RefusedWebhook: what the provider's `translate` raises, and WrongEvent for a body of
        another kind.
        """
        unsigned = provider.translate_unsigned if verification == "unsigned_allowed" else None
        with notes.collected() as ignored:
            translation = (unsigned or provider.translate)(received, kind)
        if self._requires_type and provider.secret_setting == SHARED_SECRET:
            kinds.require_type(received.body, kind)
        return replace(translation, notes=(*translation.notes, *ignored[:MAX_NOTES])) if ignored else translation
