"""The records that the simulated APIs return. They know only registered ones, so no API confirms a forgery. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec


class ProviderRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment, a parcel or an invoice, as its provider has it.

    `alias` is the provider's own id, `status` is in the provider's own words, `at` is RFC 3339, `amount` is in the
    currency's major unit as the provider writes it. `carrier` is for parcels; `customer_id` and `title` are for
    invoices.
    """

    provider: str
    alias: str
    status: str
    order_id: str | None = None
    amount: str | None = None
    currency: str = "KRW"
    at: str | None = None
    carrier: str | None = None
    customer_id: str | None = None
    title: str | None = None


class ApiFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The response of a provider's API to every request until the next ApiFailure. Status 200 ends the failure.

    `retry_after` is in seconds, for the header of that name.
    """

    provider: str
    status: int
    retry_after: int | None = None


@dataclass
class ApiState:
    """Records and failures of all APIs, in memory."""

    _records: dict[tuple[str, str], ProviderRecord] = field(default_factory=dict)
    _failures: dict[str, ApiFailure] = field(default_factory=dict)

    def add_record(self, record: ProviderRecord) -> None:
        """Store a record under its alias and its order id; it replaces an earlier one."""
        for name in filter(None, (record.alias, record.order_id)):
            self._records[record.provider, name] = record

    def set_failure(self, failure: ApiFailure) -> None:
        """Let an API fail from now on, or end its failure."""
        self._failures[failure.provider] = failure

    def failure_of(self, provider: str) -> ApiFailure | None:
        """Return the current failure of a provider's API; None if it works."""
        failure = self._failures.get(provider)
        return failure if failure and failure.status != 200 else None  # noqa: PLR2004 - RFC 9110 §15

    def find(self, provider: str, names: Iterable[str]) -> ProviderRecord | None:
        """Return the record for the first of these ids that has one; None if no id has one."""
        return next((record for name in names if (record := self._records.get((provider, name)))), None)
