"""The shipping domain: a parcel's state after any set of scans, and the domain event that holds then.

Pure. The result does not depend on the order in which scans arrive.
"""

from dataclasses import dataclass, field, replace

from stream.events import (
    DomainEvent,
    Envelope,
    OutcomeKind,
    ShipmentDelivered,
    ShipmentEvent,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
    ShippingWebhook,
    ids,
)
from stream.state import registers
from stream.state.registers import Registers, Stamp

TRANSITIONS = (
    ("preparing",),
    ("in_transit",),
    ("out_for_delivery", "failed"),
    ("delivered",),
)
"""A status may follow the statuses of its own tier and of the tiers above it; a failed attempt may follow another."""

ATTEMPTS = ("out_for_delivery", "failed")
"""Each scan with one of these statuses is published, keyed by its time; other statuses are published once a parcel."""

SHOP = "generic"
"""The provider name of the shop (contract A)."""

EVENT_BY_STATUS: dict[str, type[ShipmentEvent]] = {
    "in_transit": ShipmentInTransit,
    "out_for_delivery": ShipmentOutForDelivery,
    "failed": ShipmentFailed,
    "delivered": ShipmentDelivered,
}


EventKey = tuple[type[ShipmentEvent], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: the parcel, and the scan's time in ATTEMPTS."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """The state of one parcel. `shipment_id` is carrier and tracking number, or the order if the parcel has neither.

    `order_id` is None until a webhook states it: a carrier's aggregator need not know the order of a parcel.
    """

    shipment_id: str
    version: int = 0
    told: Registers = field(default_factory=dict)

    @property
    def status(self) -> str | None:
        status: str | None = registers.value(self.told, "status")
        return status

    @property
    def order_id(self) -> str | None:
        order_id: str | None = registers.value(self.told, "order_id")
        return order_id

    @property
    def updated_at(self) -> int | None:
        """The time of the scan that set the status, in microseconds; None if that scan states no time."""
        (rank, _, position, _), scanned_at = self.told.get("scanned_at", (registers.UNSET, None))
        status = self.told["status"][0] if "status" in self.told else registers.UNSET
        return scanned_at if (rank, position) == (status[0], status[2]) else None

    @property
    def event_key(self) -> EventKey | None:
        """The key of the domain event that holds for the parcel; None while its order is unknown."""
        kind = EVENT_BY_STATUS.get(self.status or "") if self.order_id is not None else None
        if kind is None:
            return None
        at = self.told["status"][0][1]
        return kind, (self.shipment_id, *([str(at)] if self.status in ATTEMPTS and at else []))


def apply(shipment: Shipment, webhook: ShippingWebhook) -> tuple[Shipment, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the parcel after a scan, the scan's outcome, and the new domain events."""
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    fields = {
        "status": notice.status,
        "carrier": notice.carrier,
        "tracking_number": notice.tracking_number,
        "last_location": notice.location,
        "scanned_at": notice.scanned_at,
    }
    outcome: OutcomeKind = "late" if registers.is_behind(shipment.told, stamp) else "processed"
    state = registers.update(shipment.told, stamp, fields)
    state = registers.update(state, _order_stamp(stamp, envelope), {"order_id": notice.order_id})
    after = replace(shipment, version=shipment.version + 1, told=state)
    new = after.event_key if after.event_key != shipment.event_key else None
    return after, outcome, (_build_event(new, after, webhook),) if new else ()


def _order_stamp(stamp: Stamp, envelope: Envelope) -> Stamp:
    """Return the stamp of a parcel's order id: the shop's (contract A) outranks every aggregator's."""
    return (stamp[0] + len(TRANSITIONS), *stamp[1:]) if envelope.provider == SHOP else stamp


def _build_event(event_key: EventKey, shipment: Shipment, cause: ShippingWebhook) -> ShipmentEvent:
    state, envelope = shipment.told, cause.envelope
    kind, key = event_key
    return kind(
        event_id=ids.domain_event_id(kind.__name__, *key),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=shipment.order_id,
        carrier=registers.value(state, "carrier"),
        tracking_number=registers.value(state, "tracking_number"),
        location=registers.value(state, "last_location"),
    )
