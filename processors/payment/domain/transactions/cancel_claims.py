"""Cancels that count only once they are known to belong to the order's payment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from processors.payment.domain.payment_registers import (
    NO_REGISTERS,
    CancelledAmount,
    PaymentRegisters,
    TransactionRegisters,
)
from processors.payment.domain.transactions import transaction_log
from processors.payment.domain.transactions.transaction_log import Entries, TransactionLog
from stream.state.derived import derived
from stream.state.registers import Register


class Parts(msgspec.Struct, frozen=True, dict=True):  # dict: for derived values
    """The part of a payment's state that a set of webhooks made.

    `transactions` holds each attempt to pay, `cancels` each cancel, by id. `entries` is the transaction log.
    """

    registers: PaymentRegisters = NO_REGISTERS
    transactions: Mapping[str, TransactionRegisters] = {}
    cancels: Mapping[str, Register[CancelledAmount]] = {}
    entries: Entries = {}

    @derived
    def log(self) -> TransactionLog:
        return transaction_log.parse(self.entries)


@dataclass(frozen=True, slots=True)
class CancelClaim:
    """The cancels of one transaction of one provider, which count while `mismatch_reason` finds nothing against them.

    `names`, so called in stored rows, are the transaction's aliases. `is_confirmed` is True once the provider's API
    confirmed a cancel. `waiting` holds the ids of the events that arrived while the claim did not count; it depends on
    the order of arrival, so it is not compared.
    """

    provider: str
    transaction: str
    parts: Parts = field(default_factory=Parts)
    names: tuple[str, ...] = ()
    is_confirmed: bool = False
    waiting: tuple[str, ...] = field(default=(), compare=False)


def claim_key(provider: str, transaction: str) -> str:
    """Return the key in `Payment.claims` of the claim for one transaction of one provider."""
    return f"{provider}\n{transaction}"


def mismatch_reason(base: Parts, claim: CancelClaim) -> str | None:
    """Return why a cancel does not belong to the order's payment; None when it does, or when no payment is known.

    The reason is `other_transaction`, `other_provider` or `other_currency`. A transaction belongs to the order when
    another webhook of the order names it. A cancel without a transaction belongs to the payment of its provider. A
    cancel that the provider's API confirmed needs no other proof.
    """
    paid = [change for change in base.log.changes if change.status == "completed"]
    if not paid or claim.is_confirmed:
        return None
    known = {*base.transactions, *(alias for change in paid for alias in change.aliases)}
    if claim.transaction and not known.isdisjoint((claim.transaction, *claim.names)):
        return "other_currency" if _currencies_differ(base, claim) else None
    by_provider = [change for change in paid if change.provider == claim.provider]
    if not by_provider:
        return "other_provider"
    is_named = bool(claim.transaction) and all(change.aliases for change in by_provider)
    return "other_transaction" if is_named else "other_currency" if _currencies_differ(base, claim) else None


def _currencies_differ(base: Parts, claim: CancelClaim) -> bool:
    paid = base.transactions.get(claim.transaction, base.registers).currency.value
    cancelled = claim.parts.registers.currency.value
    return paid is not None and cancelled is not None and paid != cancelled
