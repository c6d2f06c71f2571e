"""Who may post at all: providers that are set up, from their own addresses, and no more requests than agreed."""

from time import monotonic

from gateway.guard import Scope
from gateway.limits import TokenBucket
from gateway.proof import Proof
from gateway.refusals import Refusal
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Provider


class Admission:
    """Decides before anything of the body is read."""

    def __init__(self, settings: GatewaySettings, proof: Proof) -> None:
        self._proof = proof
        self._allowed = {row.name: settings.allowed_ips(row.name) for row in catalogue.ROWS}
        self._rate = TokenBucket(*rate) if (rate := settings.rate()) else None

    def admit(self, scope: Scope, provider: Provider) -> None:
        """Raises Refusal when this request is not to be served."""
        address = scope["client"][0] if scope.get("client") else ""
        if not (self._proof.is_active(provider) or provider.without_secret):
            raise Refusal("provider_not_configured", f"{provider.secret_setting} is not set, or the provider is off")
        if self._allowed[provider.name] and address not in self._allowed[provider.name]:
            raise Refusal("source_not_allowed", "webhooks of this provider are not taken from your address")
        if self._rate and (wait := self._rate.take(monotonic())):
            raise Refusal("rate_limited", "too many requests", retry_after=str(int(wait) + 1))
