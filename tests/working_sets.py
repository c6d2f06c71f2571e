"""Applies one webhook to one order's payment or refunds through the working set, as the handlers do."""

from collections import defaultdict

from processors.payment.domain import OrdersPolicy, Payment, PaymentWorkingSet
from processors.refund.domain import Refunds, RefundWorkingSet
from stream.events import DisputeWebhook, DomainEvent, OrderWebhook, PaymentWebhook, RefundWebhook
from stream.state.aliases import Alias, AliasKey

PaymentInput = PaymentWebhook | DisputeWebhook | RefundWebhook | OrderWebhook


def apply_to_payment(
    payment: Payment, webhook: PaymentInput, orders: OrdersPolicy = "optional"
) -> tuple[Payment, str, tuple[DomainEvent, ...]]:
    """Return the payment after a webhook that names its order, the webhook's outcome, and the new domain events."""
    aliases = defaultdict[AliasKey, Alias[Payment]](Alias)
    working_set = PaymentWorkingSet({payment.order_id: payment}, aliases, orders)
    result = working_set.apply(webhook)
    return working_set.payments[payment.order_id], result.outcome, result.events


def apply_to_refunds(
    refunds: Refunds, event: RefundWebhook | DomainEvent
) -> tuple[Refunds, str, tuple[DomainEvent, ...]]:
    """Return the refunds after an event that names their order, the event's outcome, and the new domain events."""
    working_set = RefundWorkingSet({refunds.order_id: refunds}, defaultdict[AliasKey, Alias[Refunds]](Alias))
    result = working_set.apply(event)
    return working_set.refunds[refunds.order_id], result.outcome, result.events
