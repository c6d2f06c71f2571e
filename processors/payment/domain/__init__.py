"""The payment domain: a payment's state after any set of webhooks, and the domain events that hold then.

Pure. The state does not depend on the order in which webhooks arrive.
"""

from processors.payment.domain.domain_events import OrdersPolicy, event_keys
from processors.payment.domain.payment import Payment
from processors.payment.domain.payment_registers import OrderRegisters
from processors.payment.domain.transactions.cancel_claims import CancelClaim, Parts
from processors.payment.domain.working_set import PaymentInput, PaymentWorkingSet, aliases_of, touched_order

__all__ = [
    "CancelClaim",
    "OrderRegisters",
    "OrdersPolicy",
    "Parts",
    "Payment",
    "PaymentInput",
    "PaymentWorkingSet",
    "aliases_of",
    "event_keys",
    "touched_order",
]
