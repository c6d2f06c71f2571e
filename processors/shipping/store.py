"""All SQL of the shipping processor. Each batch runs one statement per purpose, with an array per column."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from processors.shipping.domain import Shipment, ShipmentRegisters
from processors.shipping.tables import shipment_history, shipments
from stream.events import ShippingWebhook
from stream.state import registers
from stream.state.fold import Result
from stream.state.json_payload import as_metadata
from stream.store import statements
from stream.store.statements import ColumnValues

LOCK = statements.row_lock(shipments, "version", "registers")
SAVE = statements.update(shipments)
RECORD = statements.insert(shipment_history)


def lock(tx: Connection, shipment_ids: Collection[str]) -> dict[str, Shipment]:
    """Insert missing parcels, lock all until the transaction ends, and return them by id."""
    rows = LOCK.rows(tx, shipment_ids)
    return {id_: Shipment(id_, version, registers.load(ShipmentRegisters, stored)) for id_, version, stored in rows}


def save(tx: Connection, changed: Iterable[Shipment], last_webhooks: Mapping[str, ShippingWebhook]) -> None:
    """Update the rows of the parcels, which must be locked.

    `last_webhooks` must hold the last webhook of each parcel in the batch, by parcel id.
    """
    SAVE.execute_columns(tx, _columns(list(changed), last_webhooks))


def record(tx: Connection, applied: Iterable[tuple[ShippingWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    RECORD.execute_columns(tx, _history_columns(list(applied)))


def _columns(parcels: Sequence[Shipment], last_webhooks: Mapping[str, ShippingWebhook]) -> ColumnValues:
    states = [parcel.registers for parcel in parcels]
    return {
        "shipment_id": [parcel.shipment_id for parcel in parcels],
        "carrier": [state.carrier.value for state in states],
        "tracking_number": [state.tracking_number.value for state in states],
        "order_id": [state.order_id.value for state in states],
        "status": [state.status.value for state in states],
        "last_location": [state.last_location.value for state in states],
        "shipping_updated_at": [parcel.updated_at for parcel in parcels],
        "metadata": [as_metadata(last_webhooks[parcel.shipment_id].envelope.raw) for parcel in parcels],
        "version": [parcel.version for parcel in parcels],
        "registers": [registers.dump(state) for state in states],
    }


def _history_columns(applied: Sequence[tuple[ShippingWebhook, Result]]) -> ColumnValues:
    envelopes, payloads = [webhook.envelope for webhook, _ in applied], [webhook.payload for webhook, _ in applied]
    return {
        "event_id": [envelope.event_id for envelope in envelopes],
        "shipment_id": [result.key for _, result in applied],
        "order_id": [payload.order_id for payload in payloads],
        "status": [payload.status for payload in payloads],
        "outcome": [result.outcome for _, result in applied],
        "location": [payload.location for payload in payloads],
        "occurred_at": [envelope.occurred_at for envelope in envelopes],
        "received_at": [envelope.received_at for envelope in envelopes],
        "payload": [envelope.raw for envelope in envelopes],
    }
