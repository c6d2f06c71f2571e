"""What invoices and the transfers that pay them are after any set of webhooks. Pure; the same in whatever order.

Crypto amounts are decimal texts from end to end; cash is an integer of minor units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from stream.events import (
    CreditAdded,
    CryptoRefundRequested,
    DigitalDeliveryRequested,
    DomainEvent,
    Envelope,
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceFailed,
    InvoiceNotice,
    InvoicePending,
    InvoiceRejected,
    InvoiceUnderpaid,
    InvoiceWebhook,
    OutcomeKind,
    TransferWebhook,
    ids,
)
from stream.state import registers
from stream.state.fold import Result
from stream.state.registers import Stamp, Told

TRANSITIONS = (
    ("Ready",),
    ("Wait",),
    ("Pending",),
    ("Cancel",),
    ("Reject",),
    ("Fail",),
    ("Complete",),
)
"""A state may follow those above it; what comes later than its turn is `late`.

Money that arrived is never hidden: Complete outranks all, and Fail, which may hold money to be given back, outranks
the ends at which none was sent. So no two ends depend on clocks.
"""

TRANSFERS = (("Pending",), ("Fail",), ("Complete",))
"""The states of a transfer. One alone moves no invoice: the provider sends the invoice's own webhook as well."""

MISMATCH = "amount_mismatch"
UNKNOWN = "unknown"
ENDED_BADLY = ("Cancel", "Reject", "Fail")
ANNOUNCED: dict[str, type[DomainEvent]] = {
    "Pending": InvoicePending,
    "Cancel": InvoiceCancelled,
    "Reject": InvoiceRejected,
    "Fail": InvoiceFailed,
    "Complete": InvoiceCompleted,
}

OF_AN_END = ("received_amount", "expected_amount", "reason", "expired_at", "completed_at")
"""Fields that an event with a bad end states about that end alone: registers of their own, named `name:State`."""

EXPIRES = ("Ready", "Wait", "Pending", "Cancel")
"""The states of which a time of expiry is a fact."""

LEARNT = ("customer_id", "transaction_id")
"""What an invoice learns from its transfers when nobody says it of the invoice itself."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """All that was told of one transfer on a chain, among it the invoice that it pays."""

    transaction_id: str
    version: int = 0
    told: Told = field(default_factory=dict)

    @property
    def invoice_id(self) -> str | None:
        """None until a webhook names both."""
        invoice_id: str | None = registers.value(self.told, "invoice_id")
        return invoice_id


@dataclass(frozen=True, slots=True)
class Invoice:
    """All that was told of one invoice."""

    invoice_id: str
    version: int = 0
    told: Told = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """None while only a transfer of it is known."""
        state: str | None = registers.value(self.told, "state")
        return state

    @property
    def reason(self) -> str | None:
        """Why it ended so: what was said of this end, and not of one that it overtook."""
        if self.state not in ENDED_BADLY:
            return None
        if (reason := registers.value(self.told, f"reason:{self.state}")) is not None:
            return str(reason)
        (rank, *_), _ = self.told["state"]
        (said_of, *_), said = self.told.get("reason", (registers.UNTOLD, None))
        return said if said_of == rank else UNKNOWN

    @property
    def is_underpaid(self) -> bool:
        """Whether the provider reported it underpaid after it was completed."""
        when, reason = self.told.get("reason:Fail", (registers.UNTOLD, None))
        if self.state != "Complete" or reason != MISMATCH:
            return False
        completed, failed = self.told["state"][0][1], when[1]
        return failed >= completed or not failed

    def known(self, name: str) -> Any:
        """Return a field; None when it is unknown, or known only from an event whose state was overtaken."""
        if name == "reason":
            return self.reason
        if (name == "expired_at" and self.state not in EXPIRES) or (
            name == "completed_at" and self.state != "Complete"
        ):
            return None
        of_end = registers.value(self.told, f"{name}:{self.state}") if self.state in ENDED_BADLY else None
        return self._of_the_way(name) if of_end is None else of_end

    def _of_the_way(self, name: str) -> Any:
        """Return a field of the events on the way to the state. Older rows may hold that of a lost end too."""
        (rank, *_), value = self.told.get(name, (registers.UNTOLD, None))
        ends = [_above_transfers((at, 0, 0, ""))[0] for at, (state,) in enumerate(TRANSITIONS) if state in ENDED_BADLY]
        is_of_lost_end = name in OF_AN_END and rank in ends and rank != self.told["state"][0][0]
        return None if is_of_lost_end else value


def tell(transfer: Transfer, webhook: InvoiceWebhook | TransferWebhook) -> tuple[Transfer, OutcomeKind]:
    """The transfer after a webhook of it, or of an invoice that names it, and what became of the webhook."""
    if isinstance(webhook, InvoiceWebhook):
        when = (-1, webhook.envelope.occurred_at or 0, 0, webhook.envelope.event_id)
        told = registers.tell(transfer.told, when, _said_of_transfer(webhook.notice))
        return replace(transfer, told=told), "processed"
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSFERS, notice.state, envelope.occurred_at, envelope.event_id)
    told = registers.tell(transfer.told, when, msgspec.structs.asdict(notice))
    return replace(transfer, version=transfer.version + 1, told=told), _outcome(transfer.told, when)


def apply(
    invoice: Invoice, transfer: Transfer | None, webhook: InvoiceWebhook | TransferWebhook
) -> tuple[Invoice, OutcomeKind, tuple[DomainEvent, ...]]:
    """The invoice after a webhook of it, or of the `transfer` that pays it; and what is true now and was not before."""
    told, version = _learn(invoice.told, transfer), invoice.version
    outcome: OutcomeKind = "processed"
    if isinstance(webhook, InvoiceWebhook):
        version += 1  # a transfer's webhooks are counted by the transfer, as it may find its invoice only later
        envelope, notice = webhook.envelope, webhook.notice
        when = _above_transfers(registers.stamp(TRANSITIONS, notice.state, envelope.occurred_at, envelope.event_id))
        outcome = _outcome(invoice.told, when)
        told = registers.tell(told, when, _said(webhook))
        if notice.cash_amount == 0:
            told = registers.tell(told, (-1, *when[1:]), _no_cash(notice))
    after = replace(invoice, version=version, told=told)
    news = [kind for kind in truths(after) if kind not in truths(invoice)]
    return after, outcome, tuple(_announce(kind, after, webhook.envelope) for kind in news)


def truths(invoice: Invoice) -> tuple[type[DomainEvent], ...]:
    """What can be said of the invoice as it stands. A credit waits for the customer, goods for their name."""
    state, cash = invoice.state, invoice.known("cash_amount")
    asked_back = state == "Fail" and invoice.reason == MISMATCH
    true = {
        CreditAdded: state == "Complete" and bool(invoice.known("customer_id")) and (cash or 0) > 0,
        DigitalDeliveryRequested: state == "Complete" and bool(invoice.known("title")),
        CryptoRefundRequested: asked_back and is_some(invoice.known("received_amount")),
        InvoiceUnderpaid: invoice.is_underpaid,
    }
    main = ANNOUNCED.get(state or "")
    return (*([main] if main else ()), *(kind for kind, holds in true.items() if holds))


def contradicts(invoice: Invoice, webhook: InvoiceWebhook) -> bool:
    """Return whether a completed invoice is completed again with another amount; it is credited once (ADR 22)."""
    known, said = invoice.known("cash_amount"), webhook.notice.cash_amount
    return invoice.state == webhook.notice.state == "Complete" and bool(known and said) and known != said


def is_some(amount: str | None) -> bool:
    """Whether a decimal text is an amount of anything."""
    try:
        number = Decimal(amount or 0)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0


def credits_in(results: Sequence[Result]) -> list[CreditAdded]:
    """The credits among what is to be announced."""
    return [fact for result in results for fact in result.facts if isinstance(fact, CreditAdded)]


def settle(results: Sequence[Result], balances: Mapping[tuple[str, str], int]) -> list[Result]:
    """The results with each credit's balance after it, given what each (customer, currency) had before them."""
    running = dict(balances)

    def settled(fact: DomainEvent) -> DomainEvent:
        if not isinstance(fact, CreditAdded):
            return fact
        account = (fact.customer_id or "", fact.currency)
        running[account] = running.get(account, 0) + fact.amount
        return msgspec.structs.replace(fact, balance=running[account])

    return [replace(result, facts=tuple(map(settled, result.facts))) for result in results]


def _said_of_transfer(notice: InvoiceNotice) -> dict[str, object]:
    """Return the transfer's fields that an invoice's webhook states. The transfer's own webhooks outrank them."""
    return {
        "invoice_id": notice.invoice_id,
        "hash": notice.transaction_hash,
        "from_address": notice.from_address,
        "to_address": notice.to_address,
        "block_number": notice.block_number,
    }


def _no_cash(notice: InvoiceNotice) -> dict[str, object]:
    """An amount of 0 stands where no other is told: or a credit would depend on which of two came first."""
    return {"cash_amount": notice.cash_amount, "cash_currency": notice.cash_currency}


def _said(webhook: InvoiceWebhook) -> dict[str, object]:
    said = msgspec.structs.asdict(webhook.notice)
    if not webhook.notice.cash_amount:
        del said["cash_amount"], said["cash_currency"]
    if webhook.notice.state not in ENDED_BADLY:
        return said
    return {f"{name}:{webhook.notice.state}" if name in OF_AN_END else name: value for name, value in said.items()}


def _learn(told: Told, transfer: Transfer | None) -> Told:
    for name in LEARNT:
        if transfer and name in transfer.told:
            when, value = transfer.told[name]
            told = registers.tell(told, when, {name: value})
    return told


def _outcome(told: Told, when: Stamp) -> OutcomeKind:
    return "late" if when < told.get("state", (registers.UNTOLD,))[0] else "processed"


def _above_transfers(when: Stamp) -> Stamp:
    """What is said of the invoice itself outranks what is learnt from a transfer."""
    rank, at, position, event_id = when
    return rank + len(TRANSFERS), at, position, event_id


def _announce(kind: type[DomainEvent], invoice: Invoice, cause: Envelope) -> DomainEvent:
    refund = kind is CryptoRefundRequested
    said = {
        **{name: invoice.known(name) for name in kind.__struct_fields__},
        "event_id": ids.fact_id(kind.__name__, invoice.invoice_id),
        "caused_by": cause.event_id,
        "mode": cause.mode,
        "occurred_at": cause.occurred_at,
        "received_at": cause.received_at,
        "order_id": None,
        "invoice_id": invoice.invoice_id,
        "amount": invoice.known("received_amount") if refund else invoice.known("cash_amount"),
        "currency": invoice.known("cash_currency") or "KRW",
        "asset": invoice.known("crypto_asset"),
        "entry_id": ids.fact_id("credit", invoice.invoice_id),
        "balance": invoice.known("cash_amount"),
        "refund_id": ids.fact_id("refund", invoice.invoice_id),
    }
    if kind is InvoiceUnderpaid:
        short = {name: registers.value(invoice.told, f"{name}:Fail") for name in ("received_amount", "expected_amount")}
        said |= {**short, "reason": MISMATCH}
    return kind(**{name: said[name] for name in kind.__struct_fields__})
