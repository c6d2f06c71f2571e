"""The shipping domain: a parcel's state after any set of scans, and the domain event that holds then.

Pure. The result does not depend on the order in which scans arrive.
"""

from processors.shipping.domain.domain_events import published_state
from processors.shipping.domain.shipment import TRANSITIONS, Shipment, ShipmentRegisters
from processors.shipping.domain.transitions import apply

__all__ = ["TRANSITIONS", "Shipment", "ShipmentRegisters", "apply", "published_state"]
