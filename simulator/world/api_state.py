"""What the simulated APIs know: what they were told and nothing else, so nobody vouches for a forgery. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec


class ProviderRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened at a provider: a payment, a parcel, an invoice.

    `reference` is the provider's own name for it, `status` is in the provider's own words, `at` is RFC 3339, `amount`
    is in the currency's major unit as the provider writes it. `carrier` is for parcels; `customer_id` and `title` are
    for invoices.
    """

    provider: str
    reference: str
    status: str
    order_id: str | None = None
    amount: str | None = None
    currency: str = "KRW"
    at: str | None = None
    carrier: str | None = None
    customer_id: str | None = None
    title: str | None = None


class ApiFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider's API answers to everything until it is told otherwise; status 200 ends it."""

    provider: str
    status: int
    retry_after: int | None = None


@dataclass
class ApiState:
    """Held in memory: an API that starts again knows nothing."""

    _told: dict[tuple[str, str], ProviderRecord] = field(default_factory=dict)
    _troubles: dict[str, ApiFailure] = field(default_factory=dict)

    def learn(self, told: ProviderRecord) -> None:
        """Know this from now on, by its reference and by its order; the later of two holds."""
        for name in filter(None, (told.reference, told.order_id)):
            self._told[told.provider, name] = told

    def trouble(self, trouble: ApiFailure) -> None:
        """Be in this trouble from now on."""
        self._troubles[trouble.provider] = trouble

    def troubled(self, provider: str) -> ApiFailure | None:
        """The trouble a provider's API is in."""
        trouble = self._troubles.get(provider)
        return trouble if trouble and trouble.status != 200 else None  # noqa: PLR2004 - RFC 9110 §15

    def of(self, provider: str, names: Iterable[str]) -> ProviderRecord | None:
        """What is known under any of these names."""
        return next((told for name in names if (told := self._told.get((provider, name)))), None)
