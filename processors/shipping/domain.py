"""The shipping domain: a parcel's state after any set of scans, and the domain event that holds then.

Pure. The result does not depend on the order in which scans arrive.
"""

from dataclasses import dataclass, field, replace

import msgspec

from stream.events import (
    DomainEvent,
    Envelope,
    OutcomeKind,
    ShipmentDelivered,
    ShipmentEvent,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
    ShipmentState,
    ShipmentUpdated,
    ShippingWebhook,
    ids,
)
from stream.state import registers
from stream.state.registers import UNSET, Register, Registers, Stamp, register

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


class ShipmentRegisters(Registers, frozen=True):
    """What the scans of a parcel state. `scanned_at` is in microseconds."""

    status: Register[str] = UNSET
    carrier: Register[str] = UNSET
    tracking_number: Register[str] = UNSET
    last_location: Register[str] = UNSET
    scanned_at: Register[int] = UNSET
    order_id: Register[str] = UNSET


@dataclass(frozen=True, slots=True)
class Shipment:
    """The state of one parcel. `shipment_id` is carrier and tracking number, or the order if the parcel has neither.

    `order_id` is None until a webhook states it: a carrier's aggregator need not know the order of a parcel.
    """

    shipment_id: str
    version: int = 0
    registers: ShipmentRegisters = field(default_factory=ShipmentRegisters)

    @property
    def status(self) -> str | None:
        return self.registers.status.value

    @property
    def order_id(self) -> str | None:
        return self.registers.order_id.value

    @property
    def updated_at(self) -> int | None:
        """The time of the scan that set the status, in microseconds; None if that scan states no time."""
        status, scanned = self.registers.status.stamp, self.registers.scanned_at
        is_of_status = (scanned.stamp.rank, scanned.stamp.position) == (status.rank, status.position)
        return scanned.value if is_of_status else None

    @property
    def event_key(self) -> EventKey | None:
        """The key of the domain event that holds for the parcel; None while its order is unknown."""
        kind = EVENT_BY_STATUS.get(self.status or "") if self.order_id is not None else None
        if kind is None:
            return None
        at = self.registers.status.stamp.at
        return kind, (self.shipment_id, *([str(at)] if self.status in ATTEMPTS and at else []))


def apply(shipment: Shipment, webhook: ShippingWebhook) -> tuple[Shipment, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the parcel after a scan, the scan's outcome, and the new domain events."""
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    scan = ShipmentRegisters(
        status=register(stamp, notice.status),
        carrier=register(stamp, notice.carrier),
        tracking_number=register(stamp, notice.tracking_number),
        last_location=register(stamp, notice.location),
        scanned_at=register(stamp, notice.scanned_at),
        order_id=register(_order_stamp(stamp, envelope), notice.order_id),
    )
    outcome: OutcomeKind = "late" if stamp < shipment.registers.status.stamp else "processed"
    merged = registers.merge(shipment.registers, scan)
    after = replace(shipment, version=shipment.version + 1, registers=merged)
    new = after.event_key if after.event_key != shipment.event_key else None
    return after, outcome, (_build_event(new, after, webhook),) if new else _updates(shipment, after, webhook)


def published_state(shipment: Shipment) -> ShipmentState | None:
    """Return the parcel in the columns of the order view; None while its order or its status is unknown."""
    state = shipment.registers
    if shipment.order_id is None or shipment.status is None:
        return None
    columns = {
        "shipping_status": state.status,
        "tracking_number": state.tracking_number,
        "carrier": state.carrier,
        "last_location": state.last_location,
        "shipping_updated_at": UNSET if shipment.updated_at is None else state.scanned_at,
    }
    return ShipmentState(
        revision=(shipment.version,),
        shipment_id=shipment.shipment_id,
        order_id=shipment.order_id,
        shipping_status=shipment.status,  # type: ignore[arg-type]
        tracking_number=state.tracking_number.value,
        carrier=state.carrier.value,
        last_location=state.last_location.value,
        shipping_updated_at=shipment.updated_at,
        set_by={name: column.stamp.event_id for name, column in columns.items() if column.value is not None},
    )


def _order_stamp(stamp: Stamp, envelope: Envelope) -> Stamp:
    """Return the stamp of a parcel's order id: the shop's (contract A) outranks every aggregator's."""
    return stamp._replace(rank=stamp.rank + len(TRANSITIONS)) if envelope.provider == SHOP else stamp


def _build_event(event_key: EventKey, shipment: Shipment, cause: ShippingWebhook) -> ShipmentEvent:
    state, envelope = shipment.registers, cause.envelope
    kind, key = event_key
    return kind(
        event_id=ids.domain_event_id(kind.__name__, *key),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=shipment.order_id,
        carrier=state.carrier.value,
        tracking_number=state.tracking_number.value,
        location=state.last_location.value,
        state=published_state(shipment),
    )


def _updates(before: Shipment, after: Shipment, cause: ShippingWebhook) -> tuple[ShipmentUpdated, ...]:
    """Return ShipmentUpdated if the columns of the order view changed, also for the order that the parcel left."""
    was, state = published_state(before), published_state(after)
    if state is None or (was and msgspec.structs.replace(was, revision=state.revision) == state):
        return ()
    envelope = cause.envelope
    return tuple(
        ShipmentUpdated(
            event_id=ids.domain_event_id("ShipmentUpdated", after.shipment_id, order_id, str(after.version)),
            caused_by=envelope.event_id,
            mode=envelope.mode,
            occurred_at=envelope.occurred_at,
            received_at=envelope.received_at,
            order_id=order_id,
            state=state,
        )
        for order_id in sorted({state.order_id, was.order_id if was else state.order_id})
    )
