"""Detects an Idempotency-Key that a sender used for two different events.

Each service stores the keys of the events it has handled. A second event under a stored key is reported as a conflict
and processed all the same: keys are not signed, so they decide nothing.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from stream.events import Webhook, ids
from stream.kafka.delivery import Delivery
from stream.store import statements
from stream.store.inbox import DeliveryOutcome
from stream.store.tables import idempotency_keys

HEADER = "idempotency-key"

# When two transactions insert the same key, the second waits here for the first, and then reads the stored event id.
INSERT = statements.insert_new(idempotency_keys)
STORED = """
SELECT key_id::text, event_id::text FROM idempotency_keys WHERE key_id = ANY (%(keys)b::text[]::uuid[])
"""


def key_id(delivery: Delivery) -> str | None:
    """Return the id of the webhook's Idempotency-Key on its path; None without a key, and for other records."""
    if not isinstance(delivery.event, Webhook):
        return None
    envelope = delivery.event.envelope
    key = envelope.headers.get(HEADER)
    return None if key is None else ids.key_id(envelope.provider, envelope.mode, envelope.path, key)


def store_keys(tx: Connection, fresh: Sequence[Delivery], repeated: Sequence[DeliveryOutcome]) -> list[DeliveryOutcome]:
    """Store the keys of `fresh` events; return `repeated`, changed where a key belongs to another event, and conflicts.

    A key belongs to the first fresh event under it. A repeated `duplicate` under a key of another event becomes a
    `conflict`. For each fresh event under such a key a `conflict` is added to the result, beside the outcome that the
    event has anyway.
    """
    first: dict[str, str] = {}
    for delivery in fresh:
        if key := key_id(delivery):
            first.setdefault(key, delivery.event_id)
    keys_of_repeated = {key for outcome in repeated if (key := key_id(outcome.delivery))}
    if not (first or keys_of_repeated):
        return list(repeated)
    INSERT.execute(tx, [{"key_id": key, "event_id": event_id} for key, event_id in sorted(first.items())])
    rows = tx.exec_driver_sql(STORED, {"keys": sorted(first.keys() | keys_of_repeated)})
    stored: dict[str | None, str] = {row[0]: row[1] for row in rows}

    def is_taken(delivery: Delivery) -> bool:
        return stored.get(key_id(delivery), delivery.event_id) != delivery.event_id

    changed = [
        DeliveryOutcome(outcome.delivery, "conflict")
        if outcome.kind == "duplicate" and is_taken(outcome.delivery)
        else outcome
        for outcome in repeated
    ]
    return changed + [DeliveryOutcome(delivery, "conflict") for delivery in fresh if is_taken(delivery)]
