"""Where a parcel is after any set of scans, and what is true then. Pure; the same in whatever order they come."""

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
from stream.state.registers import Stamp, Told

TRANSITIONS = (
    ("preparing",),
    ("in_transit",),
    ("out_for_delivery", "failed"),
    ("delivered",),
)
"""A status may follow those of its own tier and of the tiers above it: a failed attempt may be followed by another."""

ATTEMPTS = ("out_for_delivery", "failed")
"""Each is told, by its scan's time; the others once a parcel."""

THE_SHOP = "generic"
ANNOUNCED: dict[str, type[ShipmentEvent]] = {
    "in_transit": ShipmentInTransit,
    "out_for_delivery": ShipmentOutForDelivery,
    "failed": ShipmentFailed,
    "delivered": ShipmentDelivered,
}


Truth = tuple[type[ShipmentEvent], tuple[str, ...]]
"""A kind of fact, and the parcel and scan that make it one fact and not another."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """All that was told of one parcel; `shipment_id` is carrier and tracking number, or the order of an unnamed one.

    A carrier's aggregator need not know whose order it holds: `order_id` is None until somebody says.
    """

    shipment_id: str
    version: int = 0
    told: Told = field(default_factory=dict)

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
        """When it was scanned with the status it has; None where that scan tells no time."""
        (rank, _, position, _), scanned_at = self.told.get("scanned_at", (registers.UNTOLD, None))
        status = self.told["status"][0] if "status" in self.told else registers.UNTOLD
        return scanned_at if (rank, position) == (status[0], status[2]) else None

    @property
    def truth(self) -> Truth | None:
        """What can be said of the parcel as it stands: nothing while nobody knows whom it concerns."""
        kind = ANNOUNCED.get(self.status or "") if self.order_id is not None else None
        if kind is None:
            return None
        at = self.told["status"][0][1]
        return kind, (self.shipment_id, *([str(at)] if self.status in ATTEMPTS and at else []))


def apply(shipment: Shipment, webhook: ShippingWebhook) -> tuple[Shipment, OutcomeKind, tuple[DomainEvent, ...]]:
    """The parcel after the scan, what became of the scan, and what is true now that was not before."""
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    said = {
        "status": notice.status,
        "carrier": notice.carrier,
        "tracking_number": notice.tracking_number,
        "last_location": notice.location,
        "scanned_at": notice.scanned_at,
    }
    outcome: OutcomeKind = "late" if registers.is_behind(shipment.told, when) else "processed"
    told = registers.tell(
        registers.tell(shipment.told, when, said), _weight(when, envelope), {"order_id": notice.order_id}
    )
    after = replace(shipment, version=shipment.version + 1, told=told)
    news = after.truth if after.truth != shipment.truth else None
    return after, outcome, (_announce(news, after, webhook),) if news else ()


def _weight(when: Stamp, envelope: Envelope) -> Stamp:
    """How much a word on whose parcel it is weighs: the shop's own (contract A) more than any aggregator's."""
    return (when[0] + len(TRANSITIONS), *when[1:]) if envelope.provider == THE_SHOP else when


def _announce(truth: Truth, shipment: Shipment, cause: ShippingWebhook) -> ShipmentEvent:
    told, envelope = shipment.told, cause.envelope
    kind, key = truth
    return kind(
        event_id=ids.fact_id(kind.__name__, *key),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=shipment.order_id,
        carrier=registers.value(told, "carrier"),
        tracking_number=registers.value(told, "tracking_number"),
        location=registers.value(told, "last_location"),
    )
