"""Where a parcel is after any set of scans, and what is true then. Pure; the same in whatever order they come."""

from dataclasses import dataclass, field, replace

from stream import ids, registers
from stream.events import (
    Fact,
    OutcomeKind,
    ShipmentDelivered,
    ShipmentFact,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
    ShippingWebhook,
)
from stream.registers import Told

TRANSITIONS = (
    ("preparing",),
    ("in_transit",),
    ("out_for_delivery", "failed"),
    ("delivered",),
)
"""A status may follow those of its own tier and of the tiers above it: a failed attempt may be followed by another."""

ANNOUNCED: dict[str, type[ShipmentFact]] = {
    "in_transit": ShipmentInTransit,
    "out_for_delivery": ShipmentOutForDelivery,
    "failed": ShipmentFailed,
    "delivered": ShipmentDelivered,
}


@dataclass(frozen=True, slots=True)
class Shipment:
    """All that was told of one parcel; `shipment_id` is carrier and tracking number, or the order of an unnamed one."""

    shipment_id: str
    version: int = 0
    told: Told = field(default_factory=dict)

    @property
    def status(self) -> str | None:
        status: str | None = registers.value(self.told, "status")
        return status


def apply(shipment: Shipment, webhook: ShippingWebhook) -> tuple[Shipment, OutcomeKind, tuple[Fact, ...]]:
    """The parcel after the scan, what became of the scan, and what is true now that was not before."""
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    said = {
        "status": notice.status,
        "order_id": notice.order_id,
        "carrier": notice.carrier,
        "tracking_number": notice.tracking_number,
        "last_location": notice.location,
        "scanned_at": notice.scanned_at,
    }
    outcome: OutcomeKind = "late" if registers.is_behind(shipment.told, when) else "processed"
    after = replace(shipment, version=shipment.version + 1, told=registers.tell(shipment.told, when, said))
    announced = ANNOUNCED.get(after.status or "")
    news = announced is not None and after.status != shipment.status
    return after, outcome, (_announce(announced, after, webhook),) if announced and news else ()


def _announce(kind: type[ShipmentFact], shipment: Shipment, cause: ShippingWebhook) -> ShipmentFact:
    told, envelope = shipment.told, cause.envelope
    return kind(
        event_id=ids.fact_id(kind.__name__, shipment.shipment_id),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=registers.value(told, "order_id"),
        carrier=registers.value(told, "carrier"),
        tracking_number=registers.value(told, "tracking_number"),
        location=registers.value(told, "last_location"),
    )
