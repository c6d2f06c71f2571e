"""Decides who may post: active providers, from their allowed addresses, within the rate limits.

A request takes a token of its source before it is verified, and a token of its provider only afterwards. Forgeries
therefore use up the limit of their own senders, and none of the limit of genuine ones.
"""

from time import monotonic

from gateway.http.guard import Scope
from gateway.http.refusals import Refusal
from gateway.http.token_bucket import Buckets, LocalBuckets, SharedBuckets
from gateway.intake.authentication import Authentication
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.contract import Provider
from runtime.http.client_address import Address, contain, rate_limit_key, shown, source
from stream.events import Verification

UNSIGNED_BYTES = (262_144, 8_388_608)
"""Bytes a second, and a burst, of unsigned webhooks accepted from one provider; a webhook has 1 to 2 KB."""
MAX_UNSIGNED_BYTES = 65_536
"""Maximum size of an unsigned body: anybody can post one, and it is stored until it is confirmed or expires."""


class Admission:
    """Checks a request before its body is read, and again after it is verified."""

    def __init__(
        self, settings: GatewaySettings, authentication: Authentication, shared: memoryview | None = None
    ) -> None:
        """`shared` is memory in which several workers count together; None when this process counts alone."""
        self._authentication = authentication
        self._allowed = {row.name: settings.allowed_ips(row.name) for row in catalogue.ROWS}
        self._trusted = settings.proxies()
        rate = settings.rate()

        def buckets(kind: str, rate: tuple[float, float]) -> Buckets:
            return LocalBuckets(*rate) if shared is None else SharedBuckets(shared, kind, *rate)

        self._sources = buckets("source", rate) if rate else None
        self._providers = buckets("provider", rate) if rate else None
        self._unsigned_bytes = buckets("unsigned bytes", UNSIGNED_BYTES)

    def admit(self, scope: Scope, provider: Provider) -> str:
        """Take a token of the request's source; return the source's rate limit key.

        Raises Refusal if the source sends too fast, the address is not allowed, or the provider is neither active nor
        has a `no_secret_response`.
        """
        address = self._source(scope)
        if limited := self._limited(address):
            raise limited
        if not (self._authentication.is_active(provider) or provider.no_secret_response):
            raise Refusal("provider_not_configured", self._authentication.activation_hint(provider))
        if self._allowed[provider.name] and not contain(self._allowed[provider.name], address):
            raise Refusal("source_not_allowed", "webhooks of this provider are not accepted from your address")
        return rate_limit_key(address)

    def admit_verified(self, provider: Provider, verification: Verification, size: int) -> None:
        """Take a token of the provider. Raises Refusal if it has posted too much, from all addresses together.

        Unsigned webhooks have buckets of their own, so they take no token of the signed ones. Their `size` in bytes is
        limited too, even without RATE_LIMIT: long forgeries are then refused long before a short genuine webhook is.
        """
        unsigned = verification == "unsigned_allowed"
        wait = self._providers.take(f"{provider.name} {unsigned}", monotonic()) if self._providers is not None else 0.0
        if unsigned and not wait:
            wait = self._unsigned_bytes.take(provider.name, monotonic(), size)
        if wait:
            raise _too_many(wait)

    def limited(self, scope: Scope) -> Refusal | None:
        """Take a token of the source of a request that the guard refuses; return a refusal if no token is left.

        None too without RATE_LIMIT.
        """
        return self._limited(self._source(scope))

    def source(self, scope: Scope) -> str | None:
        """Return the sender's IPv4 address or IPv6 /64 network as text; None if the server does not know it."""
        return shown(self._source(scope))

    def _source(self, scope: Scope) -> Address | None:
        peer = scope["client"][0] if scope.get("client") else ""
        return source(peer, scope["headers"], self._trusted)

    def _limited(self, address: Address | None) -> Refusal | None:
        if self._sources is None:
            return None
        wait = self._sources.take(rate_limit_key(address), monotonic())
        return _too_many(wait) if wait else None


def check_unsigned(body: bytes) -> None:
    """Raise Refusal if a body without a signature is longer than MAX_UNSIGNED_BYTES."""
    if len(body) > MAX_UNSIGNED_BYTES:
        raise Refusal("body_too_large", f"a body without a signature has at most {MAX_UNSIGNED_BYTES} bytes")


def _too_many(wait: float) -> Refusal:
    return Refusal("rate_limited", "too many requests", retry_after=str(int(wait) + 1))
