"""The statuses of a parcel: which may follow which, and the domain event that each makes hold."""

from stream.events import ShipmentDelivered, ShipmentEvent, ShipmentFailed, ShipmentInTransit, ShipmentOutForDelivery

TRANSITIONS = (
    ("preparing",),
    ("in_transit",),
    ("out_for_delivery", "failed"),
    ("delivered",),
)
"""A status may follow the statuses of its own tier and of the tiers above it; a failed attempt may follow another."""

ATTEMPTS = ("out_for_delivery", "failed")
"""The statuses of which each scan with a time is published; any other status is published once per parcel."""

EVENT_BY_STATUS: dict[str, type[ShipmentEvent]] = {
    "in_transit": ShipmentInTransit,
    "out_for_delivery": ShipmentOutForDelivery,
    "failed": ShipmentFailed,
    "delivered": ShipmentDelivered,
}
