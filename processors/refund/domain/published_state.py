"""The state of an order's refunds that its domain events carry: columns of the order view, and the webhook of each."""

from processors.refund.domain.refunds import Refunds
from stream.events import RefundState
from stream.state.revisions import measure


def refund_state(refunds: Refunds) -> RefundState:
    """Return what the order view shows of the refunds, and by column the id of the webhook that set it.

    Releases and refunds that do not fit the payment are left out.
    """
    mismatches = refunds.mismatches
    statuses = [
        (refund.registers.status, refund)
        for refund_id, refund in refunds.counted.items()
        if refund_id not in mismatches
    ]
    by_time = sorted(statuses, key=lambda entry: entry[0].stamp)
    newest = by_time[-1:]
    completed = [entry for entry in by_time if entry[0].value == "completed"][-1:]
    columns = {"refund_status": newest, "refunded_amount": completed if refunds.refunded_amount else []}
    return RefundState(
        revision=(refunds.version, *measure([paid.stamp for paid in refunds.paid.values()])),
        refund_status=refunds.status,
        refunded_amount=refunds.refunded_amount,
        currency=next((refund.registers.currency.value for _, refund in (*completed, *newest)), None),
        set_by={name: status.stamp.event_id for name, found in columns.items() for status, _ in found},
    )
