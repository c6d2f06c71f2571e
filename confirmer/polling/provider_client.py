"""The client of one provider's API. Each provider has its own limits, so no provider waits for another."""

import asyncio
import time
from dataclasses import dataclass, field

from confirmer import metrics
from confirmer.api_response import Response, api_health
from confirmer.settings import API_VERIFICATIONS, ConfirmerSettings
from providers.contract import ApiVerification
from runtime.logging import log
from runtime.timing.backoff import Backoff
from runtime.timing.circuit_breaker import CircuitBreaker
from runtime.timing.rate_limiter import RateLimiter

MAX_FAILURES = 5
"""The circuit of an API opens after this number of consecutive failures."""
OPEN = Backoff(2.0, 60.0)
"""The time until an API that fails is asked again."""


def breaker() -> CircuitBreaker:
    """Return the circuit breaker of one API, closed."""
    return CircuitBreaker(MAX_FAILURES, OPEN)


@dataclass
class ProviderClient:
    """A provider's API: its base `url`, the key to it, its limits and its state.

    `due` is set when verifications of the provider may be due. `is_key_refused` is True while the API answers 401 or
    403, or refuses the key in the body of a 2xx response.
    """

    provider: str
    api_verification: ApiVerification
    key: str
    url: str
    rate_limiter: RateLimiter
    breaker: CircuitBreaker = field(default_factory=breaker)
    is_key_refused: bool = False
    due: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, response: Response) -> None:
        """Update the breaker and `is_key_refused` by a response, count it, and log when the state has changed."""
        health = api_health(response, self.api_verification.refuses_key)
        metrics.PROVIDER_REQUESTS.labels(self.provider, health).inc()
        if health == "refuses" and not self.is_key_refused:
            log.error("provider.refuses", provider=self.provider, settings=f"{self.provider.upper()}_API_KEY")
        self.is_key_refused = health == "refuses"
        was_open = self.breaker.is_open
        if health == "well":
            self.breaker.record_success()
        else:
            self.breaker.record_failure(time.monotonic(), getattr(response, "retry_after_s", None))
        if was_open != self.breaker.is_open:
            log.warning("provider.back" if was_open else "provider.away", provider=self.provider)


def provider_client(settings: ConfirmerSettings, provider: str, key: str) -> ProviderClient:
    """Return the client of a provider, with the limits of its catalogue entry. Raises KeyError without an API."""
    verification = API_VERIFICATIONS[provider]
    return ProviderClient(provider, verification, key, settings.api_url(provider), RateLimiter(verification.per_second))
