"""The domain events of parcels."""

from stream.events.domain_events.domain_event import DomainEvent
from stream.events.domain_events.states import ShipmentState


class ShipmentEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of one parcel; an order may have several."""

    carrier: str | None
    tracking_number: str | None
    location: str | None
    state: ShipmentState | None = None


class ShipmentInTransit(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentOutForDelivery(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentDelivered(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentFailed(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentUpdated(DomainEvent, frozen=True, kw_only=True):
    """A parcel's columns in the order view changed, and no other event of the change carries them.

    When the parcel moved to another order, the previous one gets the event too; `state.order_id` then differs from
    `order_id`.
    """

    state: ShipmentState
