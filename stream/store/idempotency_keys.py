"""Detects an Idempotency-Key that a sender used for two different events.

Each service stores the keys of the events it has handled. A second event under a stored key is reported as a conflict
and processed all the same: keys are not signed, so they decide nothing.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from stream.events import OutcomeKind, Webhook, ids
from stream.kafka.delivery import Delivery
from stream.store import statements
from stream.store.tables import idempotency_keys

HEADER = "idempotency-key"
Verdict = tuple[Delivery, OutcomeKind]

# When two transactions insert the same key, the second waits here for the first, and then reads the stored event id.
INSERT = statements.insert(idempotency_keys).followed_by("ON CONFLICT DO NOTHING")
STORED = """
SELECT key_id::text, event_id::text FROM idempotency_keys WHERE key_id = ANY (%(keys)b::text[]::uuid[])
"""


def key_id(delivery: Delivery) -> str | None:
    """Return the id of the webhook's Idempotency-Key on its path; None when it has no key."""
    if not isinstance(delivery.event, Webhook):
        return None
    envelope = delivery.event.envelope
    key = envelope.headers.get(HEADER)
    return None if key is None else ids.key_id(envelope.provider, envelope.mode, envelope.path, key)


def judge(tx: Connection, fresh: Sequence[Delivery], repeated: Sequence[Verdict]) -> list[Verdict]:
    """Store the keys of `fresh` events; return the verdicts on `repeated` events and the conflicts of fresh ones.

    A key belongs to the first event under it; a repeated event takes no key. A fresh event whose key belongs to another
    event is handled all the same, and its conflict is reported beside its outcome.
    """
    first: dict[str, str] = {}
    for delivery in fresh:
        if key := key_id(delivery):
            first.setdefault(key, delivery.event_id)
    keys_of_repeated = {key for delivery, _ in repeated if (key := key_id(delivery))}
    if not (first or keys_of_repeated):
        return list(repeated)
    INSERT.execute(tx, [{"key_id": key, "event_id": event_id} for key, event_id in sorted(first.items())])
    rows = tx.exec_driver_sql(STORED, {"keys": sorted(first.keys() | keys_of_repeated)})
    stored: dict[str | None, str] = {row[0]: row[1] for row in rows}

    def is_taken(delivery: Delivery) -> bool:
        return stored.get(key_id(delivery), delivery.event_id) != delivery.event_id

    judged: list[Verdict] = [
        (delivery, "conflict" if outcome == "duplicate" and is_taken(delivery) else outcome)
        for delivery, outcome in repeated
    ]
    return judged + [(delivery, "conflict") for delivery in fresh if is_taken(delivery)]
