"""The domain events that hold for an invoice, those that a change makes new, and the balances of credits."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from processors.invoice.domain.event_builders import build_event
from processors.invoice.domain.invoice import MISMATCH, Invoice, Transfer
from processors.invoice.domain.statuses import EVENT_BY_STATE
from processors.invoice.domain.transitions import apply_to_invoice
from stream.events import (
    CreditAdded,
    CryptoRefundRequested,
    DigitalDeliveryRequested,
    DomainEvent,
    InvoiceUnderpaid,
    InvoiceWebhook,
    OutcomeKind,
    TransferWebhook,
)
from stream.state.fold import Result


def apply(
    invoice: Invoice, transfer: Transfer | None, webhook: InvoiceWebhook | TransferWebhook
) -> tuple[Invoice, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the invoice after a webhook of it or of its transfer, the webhook's outcome, and the new domain events.

    `transfer` is the transfer that the webhook names, with the webhook applied; None if the webhook names none.
    """
    after, outcome = apply_to_invoice(invoice, transfer, webhook)
    new = [kind for kind in event_types(after) if kind not in event_types(invoice)]
    return after, outcome, tuple(build_event(kind, after, webhook.envelope) for kind in new)


def event_types(invoice: Invoice) -> tuple[type[DomainEvent], ...]:
    """Return the types of the domain events that hold for the invoice; none before a webhook states Pending or later.

    A complete invoice has CreditAdded only with a customer and a cash amount, DigitalDeliveryRequested only with a
    title. A failed one has CryptoRefundRequested only if its reason is MISMATCH and an amount was received.
    """
    state, stated = invoice.state, invoice.registers
    is_refundable = state == "Fail" and invoice.reason == MISMATCH
    optional = {
        CreditAdded: state == "Complete" and bool(stated.customer_id.value) and (stated.cash_amount.value or 0) > 0,
        DigitalDeliveryRequested: state == "Complete" and bool(stated.title.value),
        CryptoRefundRequested: is_refundable and is_positive(invoice.received_amount),
        InvoiceUnderpaid: invoice.is_underpaid,
    }
    main = EVENT_BY_STATE.get(state or "")
    return (*([main] if main else ()), *(kind for kind, holds in optional.items() if holds))


def is_positive(amount: str | None) -> bool:
    """Return whether a decimal text is a finite number above zero; False for None and for text that is no number."""
    try:
        number = Decimal(amount or 0)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0


def credits_in(results: Sequence[Result]) -> list[CreditAdded]:
    """Return the CreditAdded events of all results, in order."""
    return [event for result in results for event in result.events if isinstance(event, CreditAdded)]


def with_balances(results: Sequence[Result], balances: Mapping[tuple[str, str], int]) -> list[Result]:
    """Return the results with each CreditAdded's `balance` set to the customer's balance after that credit.

    `balances` holds the balance before the batch by (customer id, currency), in minor units; a missing one is 0.
    """
    running = dict(balances)

    def with_balance(event: DomainEvent) -> DomainEvent:
        if not isinstance(event, CreditAdded):
            return event
        account = (event.customer_id or "", event.currency)
        running[account] = running.get(account, 0) + event.amount
        return msgspec.structs.replace(event, balance=running[account])

    return [msgspec.structs.replace(result, events=tuple(map(with_balance, result.events))) for result in results]
