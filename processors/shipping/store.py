"""All SQL of the shipping processor. Each batch runs one statement per table, with an array per column."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from processors.shipping.domain import Shipment, ShipmentRegisters
from runtime.clock import to_datetime
from stream.events import ShippingWebhook
from stream.state import registers
from stream.state.fold import Result
from stream.state.json_payload import as_json
from stream.store.bulk_sql import write

INSERT_MISSING = """
INSERT INTO shipments (shipment_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING
"""

LOCK = """
SELECT shipment_id, version, registers::text FROM shipments
 WHERE shipment_id = ANY (%(ids)b::text[]) ORDER BY shipment_id FOR UPDATE
"""

SAVE = """
UPDATE shipments SET
    carrier = saved.carrier, tracking_number = saved.tracking_number, order_id = saved.order_id,
    status = saved.status, last_location = saved.last_location, shipping_updated_at = saved.scanned_at,
    metadata = saved.metadata::json, version = saved.version, registers = saved.registers::json, updated_at = now()
  FROM unnest(%(ids)b::text[], %(carriers)b::text[], %(numbers)b::text[], %(orders)b::text[], %(statuses)b::text[],
              %(locations)b::text[], %(scans)b::timestamptz[], %(metadatas)b::text[], %(versions)b::int[],
              %(registers)b::text[])
       AS saved (shipment_id, carrier, tracking_number, order_id, status, last_location, scanned_at, metadata,
                 version, registers)
 WHERE shipments.shipment_id = saved.shipment_id
"""
SAVE_COLUMNS = "ids carriers numbers orders statuses locations scans metadatas versions registers"

RECORD = """
INSERT INTO shipment_history (event_id, shipment_id, order_id, status, outcome, location, occurred_at, received_at,
                              payload)
SELECT * FROM unnest(%(events)b::text[]::uuid[], %(ids)b::text[], %(orders)b::text[], %(statuses)b::text[],
                     %(outcomes)b::text[], %(locations)b::text[], %(occurred)b::timestamptz[],
                     %(received)b::timestamptz[], %(payloads)b::bytea[])
"""
RECORD_COLUMNS = "events ids orders statuses outcomes locations occurred received payloads"


def lock(tx: Connection, shipment_ids: Sequence[str]) -> dict[str, Shipment]:
    """Lock these parcels until the transaction ends, and return them. `shipment_ids` must be sorted."""
    ids = {"ids": list(shipment_ids)}
    tx.exec_driver_sql(INSERT_MISSING, ids)
    rows = tx.exec_driver_sql(LOCK, ids)
    return {
        shipment_id: Shipment(shipment_id, version, registers.load(ShipmentRegisters, text))
        for shipment_id, version, text in rows
    }


def save(tx: Connection, shipments: Iterable[Shipment], last: Mapping[str, ShippingWebhook]) -> None:
    """Write the parcels, each with its last webhook in the batch."""
    write(tx, SAVE, SAVE_COLUMNS, [_row(shipment, last[shipment.shipment_id]) for shipment in shipments])


def record(tx: Connection, applied: Iterable[tuple[ShippingWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    write(tx, RECORD, RECORD_COLUMNS, [_history_row(webhook, result) for webhook, result in applied])


def _row(shipment: Shipment, last: ShippingWebhook) -> tuple[object, ...]:
    state = shipment.registers
    return (
        shipment.shipment_id,
        state.carrier.value,
        state.tracking_number.value,
        state.order_id.value,
        state.status.value,
        state.last_location.value,
        to_datetime(shipment.updated_at),
        '{"webhook":' + as_json(last.envelope.raw) + "}",
        shipment.version,
        registers.dump(state),
    )


def _history_row(webhook: ShippingWebhook, result: Result) -> tuple[object, ...]:
    envelope, payload = webhook.envelope, webhook.payload
    return (
        envelope.event_id,
        result.key,
        payload.order_id,
        payload.status,
        result.outcome,
        payload.location,
        to_datetime(envelope.occurred_at),
        to_datetime(envelope.received_at),
        envelope.raw,
    )
