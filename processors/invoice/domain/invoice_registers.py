"""The registers of invoices and transfers that webhooks set."""

from processors.invoice.domain.statuses import TRANSFER_TRANSITIONS
from stream.events import InvoiceState, TransferState
from stream.state.registers import UNSET, Register, Registers, Stamp


class EndRegisters(Registers, frozen=True):
    """The registers that belong to one state of an invoice: crypto amounts are decimals, times are in microseconds."""

    received_amount: Register[str] = UNSET
    expected_amount: Register[str] = UNSET
    reason: Register[str] = UNSET
    expired_at: Register[int] = UNSET
    completed_at: Register[int] = UNSET


class InvoiceRegisters(EndRegisters, frozen=True):
    """The registers of an invoice. Older rows hold the inherited fields of states of UNSUCCESSFUL here too."""

    invoice_id: Register[str] = UNSET
    customer_id: Register[str] = UNSET
    customer_name: Register[str] = UNSET
    state: Register[InvoiceState] = UNSET
    previous_state: Register[str] = UNSET
    title: Register[str] = UNSET
    cash_amount: Register[int] = UNSET
    cash_currency: Register[str] = UNSET
    crypto_amount: Register[str] = UNSET
    crypto_asset: Register[str] = UNSET
    transaction_id: Register[str] = UNSET
    transaction_hash: Register[str] = UNSET
    from_address: Register[str] = UNSET
    to_address: Register[str] = UNSET
    block_number: Register[int] = UNSET


class TransferRegisters(Registers, frozen=True):
    """The registers of a transfer: `amount` is a decimal, `changed_at` in microseconds."""

    invoice_id: Register[str] = UNSET
    alias: Register[str] = UNSET
    transaction_id: Register[str] = UNSET
    customer_id: Register[str] = UNSET
    state: Register[TransferState] = UNSET
    amount: Register[str] = UNSET
    asset: Register[str] = UNSET
    hash: Register[str] = UNSET
    from_address: Register[str] = UNSET
    to_address: Register[str] = UNSET
    block_number: Register[int] = UNSET
    reason: Register[str] = UNSET
    changed_at: Register[int] = UNSET


def above_transfers(stamp: Stamp) -> Stamp:
    """Return a stamp for an invoice's own webhook, which outranks all stamps of its transfers."""
    return stamp._replace(rank=stamp.rank + len(TRANSFER_TRANSITIONS))
