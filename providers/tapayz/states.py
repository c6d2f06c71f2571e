"""The states of invoices and transfers that Tapayz documents, in its webhooks and its API."""

from typing import get_args

from providers.contract import Unsupported
from stream.events import InvoiceState, TransferState

UNKNOWN = "unknown"
"""The reason of a failure for which none is given."""
_INVOICE_STATES: dict[str, InvoiceState] = {state: state for state in get_args(InvoiceState)}
_TRANSFER_STATES: dict[str, TransferState] = {state: state for state in get_args(TransferState)}


def invoice_state(state: str) -> InvoiceState:
    """Return `state` if Tapayz documents it for invoices. Raises Unsupported for any other."""
    if state not in _INVOICE_STATES:
        raise Unsupported("Tapayz does not document this state of an invoice")
    return _INVOICE_STATES[state]


def transfer_state(state: str) -> TransferState:
    """Return `state` if Tapayz documents it for transfers. Raises Unsupported for any other."""
    if state not in _TRANSFER_STATES:
        raise Unsupported("Tapayz does not document this state of a transfer")
    return _TRANSFER_STATES[state]
