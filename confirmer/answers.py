"""The HTTP route that shows the verification of an unconfirmed webhook, for `hookstream order`."""

from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from runtime import clock
from runtime.management.openapi import NUMBER, TEXT, UUID_TEXT, Operation, described, optional, record
from runtime.management.refusals import refused_while_store_is_away
from runtime.management.routes import RequestRefused, Routes
from stream.dead_letters import filters
from stream.events.text.redaction import masked_text

SELECT = """
SELECT request_id::text AS id, provider, subject, alias, status, attempts, error, asked_at, next_attempt_at,
       event_id::text
  FROM verification_requests WHERE request_id = %(id)s::uuid
"""

VERIFICATION_REQUEST = Operation(
    "The verification of an unsigned webhook at its provider's API",
    required={"id": UUID_TEXT},
    response=record(
        id=TEXT, provider=TEXT, status=TEXT, attempts=NUMBER, answer=optional(TEXT), eventId=optional(TEXT)
    ),
    refusals=(404, 503),
)


def routes(store: Engine) -> Routes:
    """Return the management route that only the confirmer has, GET /verification-request; it answers by `show`."""

    def answer(query: Mapping[str, object]) -> object:
        with refused_while_store_is_away("confirmer"), store.begin() as tx:
            return show(tx, query)

    return {("GET", "/verification-request"): described(VERIFICATION_REQUEST, answer)}


def show(tx: Connection, query: Mapping[str, object]) -> object:
    """Return the state of a verification, whose `id` is the event id of the unconfirmed webhook.

    `answer` is the last error, masked; `nextAttemptAt` is null once the verification has ended. Raises RequestRefused:
    400 for an invalid id, 404 if the confirmer has no such verification.
    """
    request_id = filters.event_id(query.get("id"))
    row = tx.exec_driver_sql(SELECT, {"id": request_id}).mappings().one_or_none()
    if row is None:
        raise RequestRefused(404, "unknown_verification_request", f"the confirmer has no verification {request_id}")
    due = row["next_attempt_at"] if row["status"] == "asking" else None
    return {
        **{field: row[field] for field in ("id", "provider", "subject", "alias", "status", "attempts")},
        "answer": row["error"] and masked_text(row["error"]),
        "askedAt": row["asked_at"] and clock.utc_text(row["asked_at"]),
        "nextAttemptAt": due and clock.utc_text(due),
        "eventId": row["event_id"],
    }
