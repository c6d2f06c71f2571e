"""The refund domain: the state of an order's refunds after any set of events, and the domain events that hold then.

Pure. The state does not depend on the order in which events arrive.
"""

from processors.refund.domain.domain_events import event_keys
from processors.refund.domain.refund import Refund
from processors.refund.domain.refunds import Paid, Refunds
from processors.refund.domain.working_set import RefundInput, RefundWorkingSet, aliases_of, touched_order

__all__ = [
    "Paid",
    "Refund",
    "RefundInput",
    "RefundWorkingSet",
    "Refunds",
    "aliases_of",
    "event_keys",
    "touched_order",
]
