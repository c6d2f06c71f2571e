"""Where one provider is asked: nobody waits for another's provider."""

import asyncio
import time
from dataclasses import dataclass, field

from confirmer import metrics
from confirmer.polling.rate_limiter import CircuitBreaker, RateLimiter
from confirmer.settings import INQUIRIES, ConfirmerSettings
from confirmer.verdict import Response, standing
from providers.contract import ApiVerification
from runtime.logging import log


@dataclass
class ProviderClient:
    """A provider's API, our key to it, and how it has been lately."""

    provider: str
    inquiry: ApiVerification
    key: str
    url: str
    pace: RateLimiter
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    refused: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, response: Response) -> None:
        """Learn from an answer how the API is, and say so when that has changed."""
        how = standing(response)
        metrics.INQUIRIES.labels(self.provider, how).inc()
        if how == "refuses" and not self.refused:
            log.error("provider.refuses", provider=self.provider, settings=f"{self.provider.upper()}_API_KEY")
        self.refused = how == "refuses"
        was_open = self.breaker.is_open
        if how == "well":
            self.breaker.works()
        else:
            self.breaker.fails(time.monotonic(), getattr(response, "retry_after_s", None))
        if was_open != self.breaker.is_open:
            log.warning("provider.back" if was_open else "provider.away", provider=self.provider)


def desk(settings: ConfirmerSettings, provider: str, key: str) -> ProviderClient:
    """The desk of one provider."""
    inquiry = INQUIRIES[provider]
    return ProviderClient(provider, inquiry, key, settings.api_url(provider), RateLimiter(inquiry.per_second))
