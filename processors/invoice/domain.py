"""The invoice domain: crypto invoices and the transfers that pay them, after any set of webhooks.

Pure. The result does not depend on the order in which webhooks arrive. Crypto amounts are decimal texts everywhere;
cash is an integer in minor units.
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
from stream.state.registers import Registers, Stamp

TRANSITIONS = (
    ("Ready",),
    ("Wait",),
    ("Pending",),
    ("Cancel",),
    ("Reject",),
    ("Fail",),
    ("Complete",),
)
"""A state may follow the states above it; any other sequence is `late`.

Money that arrived is never hidden: Complete outranks all states, and Fail, which may hold money to be refunded,
outranks the final states in which no money was sent. No choice between two final states therefore depends on clocks.
"""

TRANSFERS = (("Pending",), ("Fail",), ("Complete",))
"""The states of a transfer. They do not change the invoice: the provider sends the invoice's own webhook too."""

MISMATCH = "amount_mismatch"
UNKNOWN = "unknown"
UNSUCCESSFUL = ("Cancel", "Reject", "Fail")
EVENT_BY_STATE: dict[str, type[DomainEvent]] = {
    "Pending": InvoicePending,
    "Cancel": InvoiceCancelled,
    "Reject": InvoiceRejected,
    "Fail": InvoiceFailed,
    "Complete": InvoiceCompleted,
}

END_FIELDS = ("received_amount", "expected_amount", "reason", "expired_at", "completed_at")
"""Fields that a webhook with a state of UNSUCCESSFUL states about that state only; their registers are `name:State`."""

EXPIRING = ("Ready", "Wait", "Pending", "Cancel")
"""The states that have an expiry time."""

TRANSFER_FIELDS = ("customer_id", "transaction_id")
"""Fields that an invoice takes from its transfers while no webhook of its own states them."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The state of one transfer on a blockchain, including the invoice that it pays."""

    transaction_id: str
    version: int = 0
    told: Registers = field(default_factory=dict)

    @property
    def invoice_id(self) -> str | None:
        """The invoice that it pays; None until a webhook names both."""
        invoice_id: str | None = registers.value(self.told, "invoice_id")
        return invoice_id


@dataclass(frozen=True, slots=True)
class Invoice:
    """The state of one invoice."""

    invoice_id: str
    version: int = 0
    told: Registers = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """The state by TRANSITIONS; None while only a transfer of the invoice is known."""
        state: str | None = registers.value(self.told, "state")
        return state

    @property
    def reason(self) -> str | None:
        """The reason of a state of UNSUCCESSFUL, never that of an overtaken state; UNKNOWN if none is stated."""
        if self.state not in UNSUCCESSFUL:
            return None
        if (reason := registers.value(self.told, f"reason:{self.state}")) is not None:
            return str(reason)
        (rank, *_), _ = self.told["state"]
        (reason_rank, *_), reason = self.told.get("reason", (registers.UNSET, None))
        return reason if reason_rank == rank else UNKNOWN

    @property
    def is_underpaid(self) -> bool:
        """Whether the provider reported the invoice as underpaid after its completion."""
        stamp, reason = self.told.get("reason:Fail", (registers.UNSET, None))
        if self.state != "Complete" or reason != MISMATCH:
            return False
        completed, failed = self.told["state"][0][1], stamp[1]
        return failed >= completed or not failed

    def known(self, name: str) -> Any:
        """Return a field; None when it is unknown, or known only from an event whose state was overtaken."""
        if name == "reason":
            return self.reason
        if (name == "expired_at" and self.state not in EXPIRING) or (
            name == "completed_at" and self.state != "Complete"
        ):
            return None
        own = registers.value(self.told, f"{name}:{self.state}") if self.state in UNSUCCESSFUL else None
        return self._before_end(name) if own is None else own

    def _before_end(self, name: str) -> Any:
        """Return a field unless it belongs to an overtaken state. Older rows may hold such fields without a suffix."""
        (rank, *_), value = self.told.get(name, (registers.UNSET, None))
        ends = [_above_transfers((at, 0, 0, ""))[0] for at, (state,) in enumerate(TRANSITIONS) if state in UNSUCCESSFUL]
        is_overtaken = name in END_FIELDS and rank in ends and rank != self.told["state"][0][0]
        return None if is_overtaken else value


def apply_to_transfer(transfer: Transfer, webhook: InvoiceWebhook | TransferWebhook) -> tuple[Transfer, OutcomeKind]:
    """Apply a webhook of a transfer, or of an invoice that names it; return the transfer and the webhook's outcome."""
    if isinstance(webhook, InvoiceWebhook):
        stamp = (-1, webhook.envelope.occurred_at or 0, 0, webhook.envelope.event_id)
        current = registers.update(transfer.told, stamp, _transfer_fields(webhook.notice))
        return replace(transfer, told=current), "processed"
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSFERS, notice.state, envelope.occurred_at, envelope.event_id)
    current = registers.update(transfer.told, stamp, msgspec.structs.asdict(notice))
    return replace(transfer, version=transfer.version + 1, told=current), _outcome(transfer.told, stamp)


def apply(
    invoice: Invoice, transfer: Transfer | None, webhook: InvoiceWebhook | TransferWebhook
) -> tuple[Invoice, OutcomeKind, tuple[DomainEvent, ...]]:
    """Apply a webhook of an invoice, or of the `transfer` that pays it.

    Return the invoice, the webhook's outcome, and the new domain events.
    """
    current, version = _with_transfer_fields(invoice.told, transfer), invoice.version
    outcome: OutcomeKind = "processed"
    if isinstance(webhook, InvoiceWebhook):
        version += 1  # a transfer's webhooks are counted by the transfer, as it may find its invoice only later
        envelope, notice = webhook.envelope, webhook.notice
        stamp = _above_transfers(registers.stamp(TRANSITIONS, notice.state, envelope.occurred_at, envelope.event_id))
        outcome = _outcome(invoice.told, stamp)
        current = registers.update(current, stamp, _fields(webhook))
        if notice.cash_amount == 0:
            current = registers.update(current, (-1, *stamp[1:]), _zero_cash(notice))
    after = replace(invoice, version=version, told=current)
    new = [kind for kind in event_types(after) if kind not in event_types(invoice)]
    return after, outcome, tuple(_build_event(kind, after, webhook.envelope) for kind in new)


def event_types(invoice: Invoice) -> tuple[type[DomainEvent], ...]:
    """Return the types of the events that hold. CreditAdded needs a customer, DigitalDeliveryRequested a title."""
    state, cash = invoice.state, invoice.known("cash_amount")
    is_refundable = state == "Fail" and invoice.reason == MISMATCH
    optional = {
        CreditAdded: state == "Complete" and bool(invoice.known("customer_id")) and (cash or 0) > 0,
        DigitalDeliveryRequested: state == "Complete" and bool(invoice.known("title")),
        CryptoRefundRequested: is_refundable and is_positive(invoice.known("received_amount")),
        InvoiceUnderpaid: invoice.is_underpaid,
    }
    main = EVENT_BY_STATE.get(state or "")
    return (*([main] if main else ()), *(kind for kind, holds in optional.items() if holds))


def contradicts(invoice: Invoice, webhook: InvoiceWebhook) -> bool:
    """Return whether a webhook completes a completed invoice with another amount. It is credited only once (ADR 22)."""
    known, stated = invoice.known("cash_amount"), webhook.notice.cash_amount
    return invoice.state == webhook.notice.state == "Complete" and bool(known and stated) and known != stated


def is_positive(amount: str | None) -> bool:
    """Return whether a decimal text is a finite number above zero; False if it is no number."""
    try:
        number = Decimal(amount or 0)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0


def credits_in(results: Sequence[Result]) -> list[CreditAdded]:
    """Return the credits among the events to publish."""
    return [event for result in results for event in result.events if isinstance(event, CreditAdded)]


def with_balances(results: Sequence[Result], balances: Mapping[tuple[str, str], int]) -> list[Result]:
    """Return the results with the balance after each credit set.

    `balances` holds the balance before the batch by (customer id, currency), in minor units.
    """
    running = dict(balances)

    def with_balance(event: DomainEvent) -> DomainEvent:
        if not isinstance(event, CreditAdded):
            return event
        account = (event.customer_id or "", event.currency)
        running[account] = running.get(account, 0) + event.amount
        return msgspec.structs.replace(event, balance=running[account])

    return [replace(result, events=tuple(map(with_balance, result.events))) for result in results]


def _transfer_fields(notice: InvoiceNotice) -> dict[str, object]:
    """Return the transfer's fields that an invoice's webhook states. The transfer's own webhooks outrank them."""
    return {
        "invoice_id": notice.invoice_id,
        "hash": notice.transaction_hash,
        "from_address": notice.from_address,
        "to_address": notice.to_address,
        "block_number": notice.block_number,
    }


def _zero_cash(notice: InvoiceNotice) -> dict[str, object]:
    """Return the cash fields of a webhook with amount 0. Any other amount outranks 0 in whatever order both come."""
    return {"cash_amount": notice.cash_amount, "cash_currency": notice.cash_currency}


def _fields(webhook: InvoiceWebhook) -> dict[str, object]:
    fields = msgspec.structs.asdict(webhook.notice)
    if not webhook.notice.cash_amount:
        del fields["cash_amount"], fields["cash_currency"]
    if webhook.notice.state not in UNSUCCESSFUL:
        return fields
    state = webhook.notice.state
    return {f"{name}:{state}" if name in END_FIELDS else name: value for name, value in fields.items()}


def _with_transfer_fields(current: Registers, transfer: Transfer | None) -> Registers:
    for name in TRANSFER_FIELDS:
        if transfer and name in transfer.told:
            stamp, value = transfer.told[name]
            current = registers.update(current, stamp, {name: value})
    return current


def _outcome(current: Registers, stamp: Stamp) -> OutcomeKind:
    return "late" if stamp < current.get("state", (registers.UNSET,))[0] else "processed"


def _above_transfers(stamp: Stamp) -> Stamp:
    """Return a stamp for an invoice's own webhook, which outranks all stamps of its transfers."""
    rank, at, position, event_id = stamp
    return rank + len(TRANSFERS), at, position, event_id


def _build_event(kind: type[DomainEvent], invoice: Invoice, cause: Envelope) -> DomainEvent:
    is_refund = kind is CryptoRefundRequested
    fields = {
        **{name: invoice.known(name) for name in kind.__struct_fields__},
        "event_id": ids.domain_event_id(kind.__name__, invoice.invoice_id),
        "caused_by": cause.event_id,
        "mode": cause.mode,
        "occurred_at": cause.occurred_at,
        "received_at": cause.received_at,
        "order_id": None,
        "invoice_id": invoice.invoice_id,
        "amount": invoice.known("received_amount") if is_refund else invoice.known("cash_amount"),
        "currency": invoice.known("cash_currency") or "KRW",
        "asset": invoice.known("crypto_asset"),
        "entry_id": ids.domain_event_id("credit", invoice.invoice_id),
        "balance": invoice.known("cash_amount"),
        "refund_id": ids.domain_event_id("refund", invoice.invoice_id),
    }
    if kind is InvoiceUnderpaid:
        short = {name: registers.value(invoice.told, f"{name}:Fail") for name in ("received_amount", "expected_amount")}
        fields |= {**short, "reason": MISMATCH}
    return kind(**{name: fields[name] for name in kind.__struct_fields__})
