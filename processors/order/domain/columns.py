"""The columns of one order, which follow from the newest state of its payment, its parcels and its refunds.

The newest state of an aggregate is the one with the highest revision. An order may have several of each:

- payments: the payment processor says which transaction pays the order, and its state is shown;
- parcels: the one with the latest scan is shown, in all five columns (of scans at one time, the greater parcel id);
- refunds: the refund processor's status and the higher of its total and the payment's, as both may report one refund.
"""

import msgspec

from processors.order.domain.order import Inputs, Order
from stream.events import PaymentState, PaymentStatus, RefundState, RefundStatus, ShippingStatus
from stream.state.derived import computed_once


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of an order; amounts are in minor units, times in microseconds since 1970 UTC.

    By column, `set_by` holds the id of the webhook that set it, and `set_by_events` the id of the domain event that
    this webhook caused first. `currency` and the columns of the shop and of the subscription are in neither.
    """

    payment_status: PaymentStatus | None
    payment_method: str | None
    transaction_id: str | None
    paid_amount: int | None
    paid_at: int | None
    shipping_status: ShippingStatus | None
    tracking_number: str | None
    carrier: str | None
    last_location: str | None
    shipping_updated_at: int | None
    refund_status: RefundStatus | None
    refunded_amount: int | None
    currency: str | None
    customer_id: str | None
    ordered_amount: int | None
    ordered_currency: str | None
    subscription_plan: str | None
    subscription_status: str | None
    set_by: dict[str, str]
    set_by_events: dict[str, str]


@computed_once
def columns_of(order: Order) -> Columns:
    """Return the order's columns; a column that no event states is None."""
    inputs, parcel = order.inputs, order.parcel
    payment = inputs.payment.state if inputs.payment else None
    shipment = parcel.state if parcel else None
    refund_status, refunded_amount, refunded_by = _refunded(inputs)
    currencies = (entry.state.currency for entry in (inputs.payment, inputs.refunds) if entry)
    set_by = {
        **{name: webhook for name, webhook in (payment.set_by if payment else {}).items() if name != "refunded_amount"},
        **(shipment.set_by if shipment else {}),
        **refunded_by,
    }
    return Columns(
        payment_status=payment.payment_status if payment else None,
        payment_method=payment.payment_method if payment else None,
        transaction_id=payment.transaction_id if payment else None,
        paid_amount=payment.paid_amount if payment else None,
        paid_at=payment.paid_at if payment else None,
        shipping_status=shipment.shipping_status if shipment else None,
        tracking_number=shipment.tracking_number if shipment else None,
        carrier=shipment.carrier if shipment else None,
        last_location=shipment.last_location if shipment else None,
        shipping_updated_at=shipment.shipping_updated_at if shipment else None,
        refund_status=refund_status,
        refunded_amount=refunded_amount,
        currency=next(filter(None, currencies), None),
        customer_id=inputs.shop.customer_id.value,
        ordered_amount=inputs.shop.ordered_amount.value,
        ordered_currency=inputs.shop.ordered_currency.value,
        subscription_plan=inputs.shop.subscription_plan.value,
        subscription_status=inputs.shop.subscription_status.value,
        set_by=set_by,
        set_by_events={
            name: inputs.first_events[webhook][1] for name, webhook in set_by.items() if webhook in inputs.first_events
        },
    )


def _refunded(inputs: Inputs) -> tuple[RefundStatus | None, int | None, dict[str, str]]:
    """Return status and amount (minor units) of the order's refunds, and by column the webhooks that set them."""
    states = [entry.state for entry in (inputs.refunds, inputs.payment) if entry]
    if not states:
        return None, None, {}
    highest = max(states, key=_refunded_amount)
    status = inputs.refunds.state.refund_status if inputs.refunds else None
    webhooks = {"refunded_amount": highest.set_by.get("refunded_amount")}
    if status is not None:
        webhooks["refund_status"] = states[0].set_by.get("refund_status")
    elif highest.refunded_amount:
        status, webhooks["refund_status"] = "completed", webhooks["refunded_amount"]
    return status, highest.refunded_amount, {name: webhook for name, webhook in webhooks.items() if webhook}


def _refunded_amount(state: PaymentState | RefundState) -> int:
    return state.refunded_amount
