"""The OpenAPI operations of the management endpoints, and the words that they take and return."""

from notifier.management.parameters import MAX_LIMIT
from notifier.queue import unsent_mails
from runtime.management.openapi import FLAG, TEXT, UUID_TEXT, Operation, Schema, array, integer, record
from stream.dead_letters.filters import LONGEST

STATUSES = (*unsent_mails.UNSENT, "sent")
RESOLVABLE = {"sent": ("unknown",), "send_again": ("unknown", "failed")}
RESOLVED = {"sent": ("sent",), "send_again": ("queued", "sending", "sent", "stale")}
"""The statuses a mail may have after it was resolved this way. Resolving it again changes nothing."""
LONGEST_ALERT = 20_000
ALERT = Operation(
    "Mail the operator an alert",
    body=record(id=UUID_TEXT, text={"type": "string", "minLength": 1, "maxLength": LONGEST_ALERT}),
    response=record(raised=FLAG),
    refusals=(503,),
)
MAIL = record(id=TEXT, status=TEXT, event_type=TEXT, audience=TEXT)
DECISION: dict[str, Schema] = {"id": UUID_TEXT, "as": {"type": "string", "enum": list(RESOLVABLE)}}
LISTED = Operation(
    "Mails of a status, or those of an order that are not sent",
    query={
        "status": {"type": "string", "enum": list(STATUSES)},
        "order": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "limit": integer(1, MAX_LIMIT, 50),
    },
    response=record(mails=array(MAIL), counts=record(), unusable_contacts=array(record(problem=TEXT))),
    refusals=(503,),
)
SHOWN = Operation("One mail with its text", required={"id": UUID_TEXT}, response=MAIL, refusals=(404, 503))
BY_PERSON: dict[str, Schema] = {"id": UUID_TEXT}
SENT_NOW = Operation(
    "Send a queued mail now", body=record(**BY_PERSON), response=record(id=TEXT), refusals=(404, 409, 503)
)
SENT_AGAIN = Operation(
    "Send a mail again, as another one",
    body=record(**BY_PERSON, decision=TEXT),
    response=record(id=TEXT),
    refusals=(404, 409, 503),
)
RESOLVED_MAIL = Operation(
    "Record what a person found out about a mail",
    body=record(**DECISION),
    response=record(id=TEXT, status=TEXT, changed=FLAG),
    refusals=(404, 409, 503),
)
