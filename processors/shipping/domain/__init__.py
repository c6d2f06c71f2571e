"""The shipping domain: a parcel's state after any set of scans, and the domain event that holds then.

Pure. The state does not depend on the order in which scans arrive.
"""

from processors.shipping.domain.event_builders import published_state
from processors.shipping.domain.shipment import Shipment, ShipmentRegisters
from processors.shipping.domain.transitions import apply

__all__ = ["Shipment", "ShipmentRegisters", "apply", "published_state"]
