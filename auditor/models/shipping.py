"""The model of the shipping processor. Pure."""

from collections.abc import Iterable

from auditor.evidence import Row
from auditor.models.expected import ExpectedStore, KeyedDefaults, event_ids, json_of
from processors.shipping import domain
from stream.events import Record, ShippingWebhook, topics


def shipping(events: Iterable[Record]) -> ExpectedStore:
    """Return the expected rows and domain events of the shipping processor; records of other kinds are skipped."""
    scans = [event for event in events if isinstance(event, ShippingWebhook)]
    parcels: KeyedDefaults[str, domain.Shipment] = KeyedDefaults(domain.Shipment)
    for scan in scans:
        name = topics.SHIPPING_WEBHOOKS.key(scan)
        parcels[name], _, _ = domain.apply(parcels[name], scan)
    rows: dict[str, Row] = {
        name: {
            "order_id": parcel.order_id,
            "status": parcel.status,
            "version": parcel.version,
            "registers": json_of(parcel.registers),
        }
        for name, parcel in parcels.items()
    }
    keys = [parcel.event_key for parcel in parcels.values() if parcel.event_key]
    return ExpectedStore({"shipments": rows}, frozenset(scan.envelope.event_id for scan in scans), event_ids(keys))
