"""The invoice domain: crypto invoices and the transfers that pay them, after any set of webhooks.

Pure. The state does not depend on the order in which webhooks arrive. Crypto amounts are decimal texts everywhere;
cash is an integer in minor units.
"""

from processors.invoice.domain.domain_events import apply, credits_in, event_types, is_positive, with_balances
from processors.invoice.domain.invoice import UNKNOWN, Invoice, Transfer
from processors.invoice.domain.invoice_registers import TransferRegisters
from processors.invoice.domain.transitions import apply_to_transfer, contradicts
from processors.invoice.domain.working_set import InvoiceInput, InvoiceWorkingSet

__all__ = [
    "UNKNOWN",
    "Invoice",
    "InvoiceInput",
    "InvoiceWorkingSet",
    "Transfer",
    "TransferRegisters",
    "apply",
    "apply_to_transfer",
    "contradicts",
    "credits_in",
    "event_types",
    "is_positive",
    "with_balances",
]
