"""The state of a payment that its domain events carry: the columns of the order view, and the webhook that set each."""

from collections.abc import Iterable

from processors.payment.domain.payment import PAID, Payment
from processors.payment.domain.transaction_log import MONEY_STATUSES
from stream.events import PaymentState
from stream.state import untyped_registers as registers
from stream.state.revisions import measure
from stream.state.untyped_registers import Stamp

REFUND_KINDS = ("partially_cancelled", "cancelled", "refund")
"""The kinds of log entries that state a refund."""


def payment_state(payment: Payment) -> PaymentState:
    """Return the payment in the columns of the order view."""
    stamps = {
        "payment_status": _status_stamp(payment),
        "payment_method": payment.register("method")[0],
        "transaction_id": payment.register("transaction_id")[0],
        "paid_amount": payment.register("amount")[0] if payment.status in PAID else registers.UNSET,
        "paid_at": payment.register("paid_at")[0] if payment.paid_at is not None else registers.UNSET,
        "refunded_amount": _newest(payment, REFUND_KINDS) if payment.refunded_amount else registers.UNSET,
    }
    return PaymentState(
        revision=_revision(payment),
        payment_status=payment.status,  # type: ignore[arg-type]
        payment_method=payment.known("method"),
        transaction_id=payment.known("transaction_id"),
        paid_amount=payment.known("amount") if payment.status in PAID else None,
        currency=payment.known("currency"),
        paid_at=payment.paid_at,
        refunded_amount=payment.refunded_amount,
        set_by={column: event_id for column, (*_, event_id) in stamps.items() if event_id},
    )


def _revision(payment: Payment) -> tuple[int, ...]:
    """Return the number of the payment's own webhooks, then what the order and the refunds' own webhooks change."""
    order = measure(stamp for stamp, _ in payment.order.values())
    refunds = measure(stamp for key, (stamp, _) in payment.entries.items() if key.startswith("refund\n"))
    return (payment.version, *order, *refunds)


def _status_stamp(payment: Payment) -> Stamp:
    """Return the stamp of the status; of the log's last entry where the log corrects the status."""
    stamp = payment.status_stamp
    if payment.status == payment.stated_status:
        return stamp
    return max(_newest(payment, (*MONEY_STATUSES, "refund")), stamp, key=lambda each: each[1:])


def _newest(payment: Payment, kinds: Iterable[str]) -> Stamp:
    """Return the stamp of the latest log entry of these kinds, by its time."""
    entries = ((key.partition("\n")[0], stamp) for key, (stamp, _) in payment.entries.items())
    found = [stamp for kind, stamp in entries if kind in kinds and stamp[3]]
    return max(found, key=lambda stamp: stamp[1:], default=registers.UNSET)
