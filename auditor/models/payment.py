"""The model of the payment processor. Pure."""

from collections.abc import Iterable

from auditor.evidence import Row
from auditor.models.expected import ExpectedStore, KeyedDefaults, Tables, event_ids, json_of
from processors.payment import domain as payments
from processors.payment.domain import OrdersPolicy
from stream.events import BillingWebhook, DisputeWebhook, OrderWebhook, PaymentWebhook, Record, RefundWebhook
from stream.state.aliases import Alias


def payment(events: Iterable[Record], policy: OrdersPolicy) -> ExpectedStore:
    """Return the expected rows and domain events of the payment processor; records of other kinds are skipped."""
    working_set = payments.PaymentWorkingSet(KeyedDefaults(payments.Payment), KeyedDefaults(lambda _: Alias()), policy)
    history = set()
    for event in events:
        if isinstance(event, PaymentWebhook | DisputeWebhook | RefundWebhook | BillingWebhook | OrderWebhook):
            working_set.apply(event)
        if isinstance(event, PaymentWebhook | DisputeWebhook):
            history.add(event.envelope.event_id)
    known = {order_id: state for order_id, state in working_set.payments.items() if state.version}
    tables: Tables = {
        "payments": {order_id: _payment(state) for order_id, state in known.items()},
        "transactions": {
            f"{order_id} {name}": {
                "status": transaction.status.value,
                "amount": transaction.amount.value,
                "currency": transaction.currency.value,
                "registers": json_of(transaction),
                "refunded_amount": state.refunds.amount_of(name),
            }
            for order_id, state in known.items()
            for name, transaction in state.transactions.items()
        },
        "orders": {
            order_id: {
                "amount": state.order.amount.value,
                "currency": state.order.currency.value,
                "registers": json_of(state.order),
            }
            for order_id, state in working_set.payments.items()
            if state.order != payments.OrderRegisters()
        },
    }
    keys = [key for state in working_set.payments.values() for key in payments.event_keys(state, policy)]
    return ExpectedStore(tables, frozenset(history), event_ids(keys))


def _payment(payment_state: payments.Payment) -> Row:
    return {
        "status": payment_state.status,
        "amount": payment_state.stated.amount.value,
        "currency": payment_state.stated.currency.value,
        "refunded_amount": payment_state.refunded_amount,
        "failure_reason": payment_state.failure_reason,
        "mismatched": payment_state.mismatched,
        "version": payment_state.version,
        "registers": json_of(payment_state.registers),
        "cancels": json_of(payment_state.cancels),
        "entries": json_of(payment_state.entries),
    }
