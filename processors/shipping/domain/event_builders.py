"""Builds the domain events of a parcel, and its state in the columns of the order view."""

import msgspec

from processors.shipping.domain.shipment import EventKey, Shipment
from stream.events import ShipmentEvent, ShipmentState, ShipmentUpdated, ShippingWebhook, ids
from stream.state.registers import UNSET


def published_state(shipment: Shipment) -> ShipmentState | None:
    """Return what the order view shows of the parcel, and by column the id of the webhook that set it.

    None while the parcel's order or status is unknown.
    """
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
        shipping_status=shipment.status,
        tracking_number=state.tracking_number.value,
        carrier=state.carrier.value,
        last_location=state.last_location.value,
        shipping_updated_at=shipment.updated_at,
        set_by={name: column.stamp.event_id for name, column in columns.items() if column.value is not None},
    )


def build_event(event_key: EventKey, shipment: Shipment, cause: ShippingWebhook) -> ShipmentEvent:
    """Build the domain event of a key from the state of its parcel."""
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


def updates(before: Shipment, after: Shipment, cause: ShippingWebhook) -> tuple[ShipmentUpdated, ...]:
    """Return ShipmentUpdated if the columns of the order view changed, else nothing.

    There are two, one for each order, if the parcel moved from one order to another.
    """
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
