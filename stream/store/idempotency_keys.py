"""Which event stands under a sender's Idempotency-Key. Nothing signs a key, so it reports and decides nothing.

Each service remembers the keys of the events it has handled. Another body under a key that stands is a conflict: it is
reported, and counts by what it says.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from stream.events import OutcomeKind, Webhook, ids
from stream.kafka.delivery import Delivery
from stream.store.bulk_sql import write

HEADER = "idempotency-key"
Verdict = tuple[Delivery, OutcomeKind]

# Of two transactions that bring one key the second waits for the first here, and then sees what stands.
INSERT = """
INSERT INTO idempotency_keys (key_id, event_id)
SELECT * FROM unnest(%(keys)b::text[]::uuid[], %(ids)b::text[]::uuid[]) ON CONFLICT DO NOTHING
"""
STANDING = """
SELECT key_id::text, event_id::text FROM idempotency_keys WHERE key_id = ANY (%(keys)b::text[]::uuid[])
"""


def key_id(delivery: Delivery) -> str | None:
    """The id of the key a delivery came under, on its path; None for one without."""
    if not isinstance(delivery.event, Webhook):
        return None
    envelope = delivery.event.envelope
    key = envelope.headers.get(HEADER)
    return None if key is None else ids.key_id(envelope.provider, envelope.mode, envelope.path, key)


def judge(tx: Connection, fresh: Sequence[Delivery], repeated: Sequence[Verdict]) -> list[Verdict]:
    """Remember the keys of `fresh` events; return the verdicts on `repeated` ones and the conflicts over keys.

    The first event under a key keeps it; one that is delivered again takes none. A fresh event whose key is taken is
    handled all the same: its conflict is told beside what became of it.
    """
    first: dict[str, str] = {}
    for delivery in fresh:
        if key := key_id(delivery):
            first.setdefault(key, delivery.event_id)
    again = {key for delivery, _ in repeated if (key := key_id(delivery))}
    if not (first or again):
        return list(repeated)
    write(tx, INSERT, "keys ids", sorted(first.items()))
    rows = tx.exec_driver_sql(STANDING, {"keys": sorted(first.keys() | again)})
    standing: dict[str | None, str] = {row[0]: row[1] for row in rows}

    def is_taken(delivery: Delivery) -> bool:
        return standing.get(key_id(delivery), delivery.event_id) != delivery.event_id

    judged: list[Verdict] = [
        (delivery, "conflict" if outcome == "duplicate" and is_taken(delivery) else outcome)
        for delivery, outcome in repeated
    ]
    return judged + [(delivery, "conflict") for delivery in fresh if is_taken(delivery)]
