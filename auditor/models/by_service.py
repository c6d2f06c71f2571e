"""Lists the models, by the name of the service."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from auditor.models.expected import ExpectedStore
from auditor.models.invoice import invoice
from auditor.models.order import order
from auditor.models.payment import payment
from auditor.models.refund import refund
from auditor.models.shipping import shipping
from auditor.models.subscription import subscription
from processors.payment.domain import OrdersPolicy
from stream.events import Record


def models(policy: OrdersPolicy) -> Mapping[str, Callable[[Sequence[Record]], ExpectedStore]]:
    """Return the model of each processor by service: records in any order → expected rows and domain events.

    The model of the order processor expects rows only, without history and domain events. `policy` is the payment
    processor's setting ORDERS.
    """
    return {
        "payment": partial(payment, policy=policy),
        "shipping": shipping,
        "refund": refund,
        "subscription": subscription,
        "invoice": invoice,
        "order": order,
    }
