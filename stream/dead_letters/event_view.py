"""Shows a failed event as JSON: its record's type and order, its status, attempts and position."""

from collections.abc import Sequence

from runtime import clock
from stream.avro.codec import Codec
from stream.dead_letters import record_view
from stream.dead_letters.record_view import key_text
from stream.dead_letters.selection import Row
from stream.events import OrderId, Record
from stream.events.text.redaction import masked_text


def summary(codec: Codec, row: Row) -> dict[str, object]:
    """Return a row of `retries` as JSON, with the type and order of its record, but not the record's content.

    `type` and `orderId` are None if today's schemas cannot decode the record, `orderId` also if it names no order.
    """
    record, _ = record_view.decode(codec, row["value"])
    return {
        "id": row["event_id"],
        "type": type(record).__name__ if record else None,
        "orderId": order_of(record),
        "status": row["status"],
        **attempts([row]),
        "topic": row["topic"],
        "partition": row["partition"],
        "offset": row["offset"],
        "key": key_text(row["key"]),
        "failedAt": clock.utc_text(row["failed_at"]),
        "lastFailedAt": clock.utc_text(row["last_failed_at"]),
        "dismissedBecause": row["dismissed_because"],
        "dismissedAt": clock.utc_text(row["dismissed_at"]) if row["dismissed_at"] else None,
    }


def attempts(rows: Sequence[Row]) -> dict[str, object]:
    """Return `attempts`, the last `error`, masked, and `nextAttemptAt` of the failed event in `rows`.

    `rows` has at most one row; without one, the result is empty. `nextAttemptAt` is None unless the event is retrying.
    """
    if not rows:
        return {}
    (row,) = rows
    due = clock.utc_text(row["next_attempt_at"]) if row["status"] == "retrying" else None
    return {"attempts": row["attempts"], "error": masked_text(row["error"]), "nextAttemptAt": due}


def order_of(record: Record | None) -> str | None:
    """Return the id of the order that a record names; None if it names none, or without a record."""
    order: OrderId | None = getattr(getattr(record, "payload", record), "order_id", None)
    return order
