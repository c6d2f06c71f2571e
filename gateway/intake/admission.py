"""Who may post: providers that are set up, from their own addresses, and no more requests than agreed.

A request takes a token of its source before anything of it is verified, and one of its provider only once it is: so
forgeries use up what their senders may post, and nothing of what genuine senders may.
"""

from time import monotonic

from gateway.http.client_address import Address, contain, limited_as, source
from gateway.http.guard import Scope
from gateway.http.refusals import Refusal
from gateway.http.token_bucket import Buckets, OwnBuckets, SharedBuckets
from gateway.intake.authentication import Authentication
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Provider
from stream.events import Verification

UNSIGNED: Verification = "unsigned_allowed"
UNSIGNED_BYTES = (262_144, 8_388_608)
"""Bytes a second, and a burst, that are taken of one provider and that nothing proves; a webhook has 1 to 2 KB."""


class Admission:
    """Decides before anything of the body is read, and once more when it is verified."""

    def __init__(self, settings: GatewaySettings, proof: Authentication, shared: memoryview | None = None) -> None:
        """`shared` is the memory in which several workers count together; None for one that counts alone."""
        self._proof = proof
        self._allowed = {row.name: settings.allowed_ips(row.name) for row in catalogue.ROWS}
        self._trusted = settings.proxies()
        rate = settings.rate()

        def buckets(kind: str, rate: tuple[float, float]) -> Buckets:
            return OwnBuckets(*rate) if shared is None else SharedBuckets(shared, kind, *rate)

        self._sources = buckets("source", rate) if rate else None
        self._providers = buckets("provider", rate) if rate else None
        self._unsigned_bytes = buckets("unsigned bytes", UNSIGNED_BYTES)

    def admit(self, scope: Scope, provider: Provider) -> str:
        """Return the key that the request's source is counted by. Raises Refusal for a request not to be served."""
        address = self._source(scope)
        if limited := self._limited(address):
            raise limited
        if not (self._proof.is_active(provider) or provider.without_secret):
            raise Refusal("provider_not_configured", self._proof.missing(provider))
        if self._allowed[provider.name] and not contain(self._allowed[provider.name], address):
            raise Refusal("source_not_allowed", "webhooks of this provider are not taken from your address")
        return limited_as(address)

    def admit_verified(self, provider: Provider, verification: Verification, size: int) -> None:
        """Raises Refusal when this provider has posted too much, whatever addresses it posts from.

        What nothing proves takes no token of what the same provider signs. Its bytes are limited too: long forgeries
        are refused long before a short true webhook is.
        """
        if self._providers is None:
            return
        unsigned = verification == UNSIGNED
        wait = self._providers.take(f"{provider.name} {unsigned}", monotonic())
        if unsigned and not wait:
            wait = self._unsigned_bytes.take(provider.name, monotonic(), size)
        if wait:
            raise _too_many(wait)

    def limited(self, scope: Scope) -> Refusal | None:
        """Count a request that the guard refuses against its source; the refusal when that has sent too many."""
        return self._limited(self._source(scope))

    def _source(self, scope: Scope) -> Address | None:
        peer = scope["client"][0] if scope.get("client") else ""
        return source(peer, scope["headers"], self._trusted)

    def _limited(self, address: Address | None) -> Refusal | None:
        if self._sources is None:
            return None
        wait = self._sources.take(limited_as(address), monotonic())
        return _too_many(wait) if wait else None


def _too_many(wait: float) -> Refusal:
    return Refusal("rate_limited", "too many requests", retry_after=str(int(wait) + 1))
