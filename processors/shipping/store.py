"""All SQL of the shipping processor. Each batch runs one statement per table, with an array per column."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from processors.shipping.domain import Shipment, ShipmentRegisters
from processors.shipping.tables import shipment_history, shipments
from runtime.clock import to_datetime
from stream.events import ShippingWebhook
from stream.state import registers
from stream.state.fold import Result
from stream.state.json_payload import as_json
from stream.store import statements

INSERT_MISSING = statements.insert_missing(shipments)
LOCK = statements.select_for_update(shipments, "version", "registers")
SAVE = statements.update(shipments)
RECORD = statements.insert(shipment_history)


def lock(tx: Connection, shipment_ids: Sequence[str]) -> dict[str, Shipment]:
    """Lock these parcels until the transaction ends, and return them. `shipment_ids` must be sorted."""
    keys = {"keys": list(shipment_ids)}
    tx.exec_driver_sql(INSERT_MISSING, keys)
    return {
        row.shipment_id: Shipment(row.shipment_id, row.version, registers.load(ShipmentRegisters, row.registers))
        for row in tx.exec_driver_sql(LOCK, keys)
    }


def save(tx: Connection, changed: Iterable[Shipment], last: Mapping[str, ShippingWebhook]) -> None:
    """Write the parcels, each with its last webhook in the batch."""
    SAVE.execute(tx, [_row(shipment, last[shipment.shipment_id]) for shipment in changed])


def record(tx: Connection, applied: Iterable[tuple[ShippingWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    RECORD.execute(tx, [_history_row(webhook, result) for webhook, result in applied])


def _row(shipment: Shipment, last: ShippingWebhook) -> dict[str, object]:
    state = shipment.registers
    return {
        "shipment_id": shipment.shipment_id,
        "carrier": state.carrier.value,
        "tracking_number": state.tracking_number.value,
        "order_id": state.order_id.value,
        "status": state.status.value,
        "last_location": state.last_location.value,
        "shipping_updated_at": to_datetime(shipment.updated_at),
        "metadata": '{"webhook":' + as_json(last.envelope.raw) + "}",
        "version": shipment.version,
        "registers": registers.dump(state),
    }


def _history_row(webhook: ShippingWebhook, result: Result) -> dict[str, object]:
    envelope, payload = webhook.envelope, webhook.payload
    return {
        "event_id": envelope.event_id,
        "shipment_id": result.key,
        "order_id": payload.order_id,
        "status": payload.status,
        "outcome": result.outcome,
        "location": payload.location,
        "occurred_at": to_datetime(envelope.occurred_at),
        "received_at": to_datetime(envelope.received_at),
        "payload": envelope.raw,
    }
