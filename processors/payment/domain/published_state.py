"""The state of a payment that its domain events carry: the columns of the order view, and the webhook that set each."""

from collections.abc import Iterable

from processors.payment.domain.payment import Payment
from processors.payment.domain.statuses import CANCELS, MONEY_STATUSES, PAID
from stream.events import PaymentState
from stream.state.derived import computed_once
from stream.state.registers import UNSET, Stamp
from stream.state.revisions import measure

REFUND_KINDS = (*CANCELS, "refund")
"""The kinds of log entries that state a refund."""


@computed_once
def payment_state(payment: Payment) -> PaymentState:
    """Return what the order view shows of the payment, and by column the id of the webhook that set it."""
    stated, was_paid = payment.stated, payment.status in PAID
    stamps = {
        "payment_status": _status_stamp(payment),
        "payment_method": stated.method.stamp,
        "transaction_id": stated.transaction_id.stamp,
        "paid_amount": stated.amount.stamp if was_paid else UNSET.stamp,
        "paid_at": stated.paid_at.stamp if payment.paid_at is not None else UNSET.stamp,
        "refunded_amount": _newest(payment, REFUND_KINDS) if payment.refunded_amount else UNSET.stamp,
    }
    return PaymentState(
        revision=_revision(payment),
        payment_status=payment.status,
        payment_method=stated.method.value,
        transaction_id=stated.transaction_id.value,
        paid_amount=stated.amount.value if was_paid else None,
        currency=stated.currency.value,
        paid_at=payment.paid_at,
        refunded_amount=payment.refunded_amount,
        set_by={column: stamp.event_id for column, stamp in stamps.items() if stamp.event_id},
    )


def _revision(payment: Payment) -> tuple[int, ...]:
    """Return the revision: `version`, then measures of what the shop's order and the refunds' own webhooks set.

    `version` counts neither of these webhooks.
    """
    of_order = (payment.order.amount, payment.order.currency)
    order = measure([register.stamp for register in of_order if register is not UNSET])
    refunds = measure([entry.stamp for key, entry in payment.entries.items() if key.startswith("refund\n")])
    return (payment.version, *order, *refunds)


def _status_stamp(payment: Payment) -> Stamp:
    """Return the stamp of the status; of the log's last entry where the log corrects the status."""
    stated = payment.registers.status
    if payment.status == stated.value:
        return stated.stamp
    return max(_newest(payment, (*MONEY_STATUSES, "refund")), stated.stamp, key=lambda each: each[1:])


def _newest(payment: Payment, kinds: Iterable[str]) -> Stamp:
    """Return the stamp of the latest log entry of these kinds, by its time."""
    entries = ((key.partition("\n")[0], entry.stamp) for key, entry in payment.entries.items())
    found = [stamp for kind, stamp in entries if kind in kinds and stamp.event_id]
    return max(found, key=lambda stamp: stamp[1:], default=UNSET.stamp)
