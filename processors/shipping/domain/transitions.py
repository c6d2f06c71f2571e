"""Apply a scan to a parcel.

The parcel's registers do not depend on the order in which scans arrive; each scan's outcome and domain events do.
"""

from dataclasses import replace

from processors.shipping.domain.event_builders import build_event, updates
from processors.shipping.domain.shipment import Shipment, ShipmentRegisters
from processors.shipping.domain.statuses import TRANSITIONS
from stream.events import DomainEvent, Envelope, OutcomeKind, ShippingWebhook
from stream.state import registers
from stream.state.registers import Stamp, register

SHOP = "generic"
"""The provider name of the shop (contract A)."""


def apply(shipment: Shipment, webhook: ShippingWebhook) -> tuple[Shipment, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the parcel after a scan, the outcome (`late` if a later status is known), and the new domain events."""
    payload, envelope = webhook.payload, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, payload.status, envelope.occurred_at, envelope.event_id)
    scan = ShipmentRegisters(
        status=register(stamp, payload.status),
        carrier=register(stamp, payload.carrier),
        tracking_number=register(stamp, payload.tracking_number),
        last_location=register(stamp, payload.location),
        scanned_at=register(stamp, payload.scanned_at),
        order_id=register(_order_stamp(stamp, envelope), payload.order_id),
    )
    outcome: OutcomeKind = "late" if stamp < shipment.registers.status.stamp else "processed"
    merged = registers.merge(shipment.registers, scan)
    after = replace(shipment, version=shipment.version + 1, registers=merged)
    return after, outcome, _new_events(shipment, after, webhook)


def _new_events(before: Shipment, after: Shipment, cause: ShippingWebhook) -> tuple[DomainEvent, ...]:
    """Return the domain event that holds after a scan and did not before, and ShipmentUpdated where it is needed.

    An event that holds again keeps its id, so consumers skip it, and with it the state that it carries. ShipmentUpdated
    carries that state unless the event surely never held before.
    """
    key = after.event_key
    if key is None or key == before.event_key:
        return updates(before, after, cause)
    event = build_event(key, after, cause)
    return (event,) if _is_first(before, after) else (event, *updates(before, after, cause))


def _is_first(before: Shipment, after: Shipment) -> bool:
    """Return whether the event of `after` surely never held before, and the parcel has left no order."""
    if before.order_id is None:
        return True
    raised = after.registers.status.stamp.rank > before.registers.status.stamp.rank
    return raised and before.order_id == after.order_id


def _order_stamp(stamp: Stamp, envelope: Envelope) -> Stamp:
    """Return the stamp of a parcel's order id: the shop's (contract A) outranks every aggregator's."""
    return stamp._replace(rank=stamp.rank + len(TRANSITIONS)) if envelope.provider == SHOP else stamp
