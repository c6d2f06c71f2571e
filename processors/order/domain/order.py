"""The state of one order: the newest state of its payment, its parcels and its refunds, and what the shop stated."""

from typing import Generic, TypeVar

import msgspec

from stream.events import OrderId, PaymentState, RefundState, ShipmentState
from stream.state.registers import UNSET, Register, Registers

S = TypeVar("S", PaymentState, ShipmentState, RefundState)


class Entry(msgspec.Struct, Generic[S], frozen=True):
    """A state of one aggregate, and the id and reception time (microseconds) of the domain event that stated it."""

    state: S
    event_id: str
    received_at: int

    @property
    def stamp(self) -> tuple[tuple[int, ...], str]:
        """(revision, event id): of two entries of one aggregate, the one with the greater stamp is newer."""
        return self.state.revision, self.event_id


class ShopRegisters(Registers, frozen=True):
    """The registers of the order that the shop and the subscription processor set."""

    customer_id: Register[str] = UNSET
    ordered_amount: Register[int] = UNSET
    ordered_currency: Register[str] = UNSET
    subscription_plan: Register[str] = UNSET
    subscription_status: Register[str] = UNSET


class Inputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest state of each aggregate; `parcels` by parcel id.

    By webhook id, `first_events` holds (revision, id) of the first domain event that the webhook caused: the event of
    the lowest revision. Stored rows call it `carriers`.
    """

    shop: ShopRegisters = ShopRegisters()
    payment: Entry[PaymentState] | None = None
    refunds: Entry[RefundState] | None = None
    parcels: dict[str, Entry[ShipmentState]] = {}
    first_events: dict[str, tuple[tuple[int, ...], str]] = msgspec.field(default_factory=dict, name="carriers")


class Order(msgspec.Struct, frozen=True, dict=True):  # dict: for derived values
    """One order. `version` is the number of events applied to it."""

    order_id: OrderId
    version: int = 0
    inputs: Inputs = Inputs()

    @property
    def parcel(self) -> Entry[ShipmentState] | None:
        """The parcel with the latest scan, of those that still belong to this order; None if there is none."""
        own = [entry for entry in self.inputs.parcels.values() if entry.state.order_id == self.order_id]
        return max(own, key=_scanned, default=None)


def _scanned(entry: Entry[ShipmentState]) -> tuple[int, str]:
    return entry.state.shipping_updated_at or entry.received_at, entry.state.shipment_id
