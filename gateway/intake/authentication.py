"""Authenticates webhooks by the gateway's settings, on arrival and again on release from the quarantine."""

from time import monotonic

import msgspec

from gateway.http.refusals import Refusal
from gateway.http.token_bucket import LocalBuckets
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Forged, Provider, Received, Stale, Translation, Unsigned
from providers.generic import kinds
from providers.parsing import notes
from runtime.config.secrets import fingerprint
from stream.events import Verification

SHARED_SECRET = "WEBHOOK_SECRET"  # noqa: S105 - the name of the setting
"""The setting whose secrets sign bodies of several kinds: those of contract A and of the shop."""
MAX_NOTES = 20
"""Maximum number of ignored fields that the notes of a translation name."""
RETIRED_TRIES = (10.0, 50.0)
"""Forged requests of one sender a second, and a burst, that are compared with retired secrets too.

Forgeries stay cheap to refuse, and a flood of them does not hide that a provider still signs with a retired secret.
"""
RETIRED_SENDERS = 10_000
"""Maximum number of senders whose tries are counted."""


class Authentication:
    """The secrets of each provider, and which providers may post without a signature."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._secrets = {row.secret_setting: settings.secrets(row.secret_setting) for row in catalogue.ROWS}
        self._retired = {row.secret_setting: settings.retired_secrets(row.secret_setting) for row in catalogue.ROWS}
        self._retired_tries = LocalBuckets(*RETIRED_TRIES, max_keys=RETIRED_SENDERS)
        self._unsigned = {row.name for row in catalogue.ROWS if settings.allows_unsigned(row)}
        self._requires_type = settings.webhook_require_type
        # By row: a provider's own contract may go without a secret where contract E under its name may not.
        self._active = {id(row) for row in catalogue.ROWS if settings.is_active(row)}

    def is_active(self, provider: Provider) -> bool:
        """Return whether this row accepts webhooks, as `GatewaySettings.is_active` does."""
        return id(provider) in self._active

    def activation_hint(self, provider: Provider) -> str:
        """Return a sentence about the settings that switch this provider's webhooks on."""
        name = provider.name.upper()
        if provider.is_unsigned:
            confirmation = (
                "; they are unsigned, so each is confirmed at the provider's API, for which the confirmer needs "
                f"{name}_API_KEY"
            )
            return f"{name} webhooks are not switched on: set {name}_ACTIVE=true at the gateway{confirmation}"
        return f"{name} webhooks are not switched on: set {provider.secret_setting}, and not {name}_ACTIVE=false"

    def authenticate(self, provider: Provider, received: Received) -> Verification:
        """Return how a request was verified; `unsigned_allowed` if nothing proves it and the settings allow that.

        The provider must be active, as `is_active` says: without secrets, any request is `unsigned_allowed`. Raises
        Refusal if the signature or token is missing or wrong, or the signed time is too far from now.
        """
        secrets = self._secrets[provider.secret_setting]
        if not secrets:  # the settings allow that only with an unsigned provider, or with ..._ALLOW_UNSIGNED
            return "unsigned_allowed"
        try:
            return provider.verify(received, secrets)
        except (Forged, Stale) as forged:
            if isinstance(forged, Unsigned) and provider.name in self._unsigned:
                return "unsigned_allowed"
            raise self._refusal(provider, received, forged) from forged

    def fingerprints(self, provider: Provider) -> tuple[list[str], list[str]]:
        """Return the fingerprints of the valid and of the retired secrets of a provider."""
        setting = provider.secret_setting
        return [*map(fingerprint, self._secrets[setting])], [*map(fingerprint, self._retired[setting])]

    def all_fingerprints(self) -> list[tuple[str, str]]:
        """Return (setting, fingerprint) of every valid secret."""
        return [(setting, fingerprint(secret)) for setting, secrets in self._secrets.items() for secret in secrets]

    def _refusal(self, provider: Provider, received: Received, forged: Forged | Stale) -> Refusal:
        """Return the refusal; the frame that raises it must not hold it, or each would be a reference cycle."""
        refusal = Refusal(forged.cause, str(forged))
        if isinstance(forged, Forged) and not isinstance(forged, Unsigned):
            refusal.retired_secret = self._retired_secret(provider, received)
        return refusal

    def _retired_secret(self, provider: Provider, received: Received) -> str | None:
        """Return the fingerprint of the retired secret by which a refused request would be authentic; None without one.

        Also None beyond RETIRED_TRIES of its sender, and for a request that is too old, since some providers check the
        time first.
        """
        retired = self._retired[provider.secret_setting]
        if not retired or self._retired_tries.take(received.source or "", monotonic()):
            return None
        return next((fingerprint(secret) for secret in retired if _proves(provider, received, secret)), None)

    def translate(self, provider: Provider, kind: str, received: Received, verification: Verification) -> Translation:
        """Translate an authenticated request; `kind` is that of its path, `verification` the result of `authenticate`.

        The notes of the translation name at most MAX_NOTES ignored fields. Raises RefusedWebhook as the provider's
        `translate` does, and WrongEvent for a body without the `type` that WEBHOOK_REQUIRE_TYPE demands.
        """
        unsigned = provider.translate_unsigned if verification == "unsigned_allowed" else None
        with notes.Collector() as ignored:
            translation = (unsigned or provider.translate)(received, kind)
        if self._requires_type and provider.secret_setting == SHARED_SECRET:
            kinds.require_type(received.body, kind)
        if not ignored:
            return translation
        return msgspec.structs.replace(translation, notes=(*translation.notes, *ignored[:MAX_NOTES]))


def _proves(provider: Provider, received: Received, secret: bytes) -> bool:
    try:
        return provider.verify(received, (secret,)) in ("signature", "shared_secret")
    except (Forged, Stale):
        return False
