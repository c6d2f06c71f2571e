"""The state of an order's refunds, keyed by refund id. The total is the sum of the completed refunds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from processors.refund.domain.refund import Refund
from stream.events import OrderId, RefundStatus
from stream.state.money import Money
from stream.state.registers import Register


class Paid(NamedTuple):
    """The amount that a transaction paid, in minor units; None if unknown. `provider` is None if unknown, too.

    `released_amount` was authorized and not captured; rows written before the field existed lack it.
    """

    amount: int | None
    currency: str
    provider: str | None
    released_amount: int | None = None

    @property
    def released(self) -> Money | None:
        """The amount that was authorized and not captured; None if all of it was captured."""
        return Money(self.released_amount, self.currency) if self.released_amount else None


@dataclass(frozen=True, slots=True)
class Refunds:
    """The state of each refund of one order by refund id, and what each transaction paid by transaction id.

    `version` counts the events about refunds, not those in `paid`.
    """

    order_id: OrderId
    version: int = 0
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    paid: Mapping[str, Register[Paid]] = field(default_factory=dict)

    @property
    def refunded_amount(self) -> int:
        """The sum of the completed refunds that fit the payment, in minor units."""
        mismatches = self.mismatches
        return sum(
            refund.money.minor
            for refund_id, refund in self.counted.items()
            if refund.status == "completed" and refund.money and refund_id not in mismatches
        )

    @property
    def status(self) -> RefundStatus | None:
        """The status of the refund of the highest rank, then the latest time; None without a fitting refund."""
        mismatches = self.mismatches
        fitting = [refund for refund_id, refund in self.counted.items() if refund_id not in mismatches]
        newest = max(fitting, key=lambda refund: refund.registers.status.stamp, default=None)
        return newest.status if newest else None

    @property
    def mismatches(self) -> dict[str, str]:
        """The reasons why completed refunds do not fit the payment, by refund id; empty while no payment is known.

        A reason is `other_provider`, `other_currency` or `exceeds_payment`. When several refunds together exceed the
        amount paid, the later ones do not fit. While the amount of any payment is unknown, no refund is too large.
        """
        paid = self.payments
        if not paid:
            return {}
        remaining = self.paid_amounts
        is_open = any(payment.amount is None for payment in paid)
        found = {}
        for refund_id, refund, money in self._completed:
            currency = money.currency or ""
            if reason := _mismatch_reason(refund, paid):
                found[refund_id] = reason
            elif not is_open and money.minor > remaining[currency]:
                found[refund_id] = "exceeds_payment"
            else:
                remaining[currency] -= money.minor
        return found

    @property
    def payments(self) -> list[Paid]:
        """The payments of the order, one for each transaction that paid."""
        return [register.value for register in self.paid.values() if register.value]

    @property
    def paid_amounts(self) -> Counter[str]:
        """The sums paid by currency, in minor units; an unknown amount counts as 0."""
        sums = Counter[str]()
        for payment in self.payments:
            sums[payment.currency] += payment.amount or 0
        return sums

    @property
    def counted(self) -> Mapping[str, Refund]:
        """The refunds without those that only release an authorized amount that was not captured (see `releases`)."""
        releases = self.releases
        return {refund_id: refund for refund_id, refund in self.refunds.items() if refund_id not in releases}

    @property
    def releases(self) -> frozenset[str]:
        """The ids of refunds that give no money back: for each transaction, the first refund of its released amount.

        A release is made at the capture, before anything can be refunded.
        """
        found: set[str] = set()
        for _, register in sorted(self.paid.items()):
            payment = register.value
            if payment and payment.released:
                same = [
                    (refund.registers.status.stamp.at, refund_id)
                    for refund_id, refund in self.refunds.items()
                    if refund_id not in found and _is_release_of(refund, payment)
                ]
                found |= {refund_id for _, refund_id in sorted(same)[:1]}
        return frozenset(found)

    @property
    def _completed(self) -> list[tuple[str, Refund, Money]]:
        """The completed refunds with an amount of money, in the order of their completion."""
        completed = [
            (refund_id, refund, refund.money)
            for refund_id, refund in self.counted.items()
            if refund.status == "completed" and refund.money
        ]
        return sorted(completed, key=lambda entry: (entry[1].registers.status.stamp, entry[0]))


def _is_release_of(refund: Refund, payment: Paid) -> bool:
    """Return whether a refund that the payment reports too has its released amount, currency and provider."""
    stated = refund.registers
    is_same = (refund.money, stated.provider.value) == (payment.released, payment.provider)
    return is_same and bool(stated.reported_by_payment.value)


def _mismatch_reason(refund: Refund, paid: Iterable[Paid]) -> str | None:
    """Return `other_provider` or `other_currency` if no payment has the refund's; None if some payment has each."""
    providers = {payment.provider for payment in paid}
    if None not in providers and refund.registers.provider.value not in providers:
        return "other_provider"
    currencies = {payment.currency for payment in paid}
    return None if refund.registers.currency.value in currencies else "other_currency"
