"""The state of a parcel, and the domain event that holds for it."""

from dataclasses import dataclass, field

from processors.shipping.domain.statuses import ATTEMPTS, EVENT_BY_STATUS
from stream.events import Micros, OrderId, ShipmentEvent, ShippingStatus
from stream.state.registers import UNSET, Register, Registers

EventKey = tuple[type[ShipmentEvent], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: the parcel, and for a status in ATTEMPTS the scan's time."""


class ShipmentRegisters(Registers, frozen=True):
    """The registers that the scans of a parcel set. `scanned_at` is in microseconds."""

    status: Register[ShippingStatus] = UNSET
    carrier: Register[str] = UNSET
    tracking_number: Register[str] = UNSET
    last_location: Register[str] = UNSET
    scanned_at: Register[Micros] = UNSET
    order_id: Register[OrderId] = UNSET


@dataclass(frozen=True, slots=True)
class Shipment:
    """The state of one parcel. `shipment_id` is carrier and tracking number, or the order id if a webhook lacks both.

    `order_id` is None until a webhook states it: a carrier's aggregator need not know the order of a parcel.
    """

    shipment_id: str
    version: int = 0
    registers: ShipmentRegisters = field(default_factory=ShipmentRegisters)

    @property
    def status(self) -> ShippingStatus | None:
        return self.registers.status.value

    @property
    def order_id(self) -> OrderId | None:
        return self.registers.order_id.value

    @property
    def updated_at(self) -> Micros | None:
        """The time of the last scan with the present status that states one, in microseconds; None if none does."""
        status, scanned = self.registers.status.stamp, self.registers.scanned_at
        is_of_status = (scanned.stamp.rank, scanned.stamp.tier_index) == (status.rank, status.tier_index)
        return scanned.value if is_of_status else None

    @property
    def event_key(self) -> EventKey | None:
        """The key of the domain event that holds for the parcel; None if it is `preparing` or its order is unknown."""
        kind = EVENT_BY_STATUS.get(self.status or "") if self.order_id is not None else None
        if kind is None:
            return None
        at = self.registers.status.stamp.at
        return kind, (self.shipment_id, *([str(at)] if self.status in ATTEMPTS and at else []))
