"""The OpenAPI descriptions of the routes for failed events. Pure."""

from runtime.management.openapi import (
    FLAG,
    NUMBER,
    TEXT,
    UUID_TEXT,
    Operation,
    Schema,
    array,
    integer,
    optional,
    record,
)
from runtime.management.openapi import INSTANT as WHEN
from stream.dead_letters.filters import DEFAULT_LIMIT, LONGEST, LONGEST_REASON, MAX_LIMIT
from stream.store.retrying import STATUSES

_WORD: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST}
FILTERS: dict[str, Schema] = {
    "status": {"type": "string", "enum": list(STATUSES)},
    "cause": _WORD,
    "order": _WORD,
    "since": WHEN,
    "until": WHEN,
    "id": UUID_TEXT,
    "name": {**_WORD, "description": "an id that the provider gave"},
}
_SELECTED: dict[str, Schema] = {"filters": {"type": "object", "properties": FILTERS}, "dryRun": FLAG}
SELECTION: Schema = {"type": "object", "properties": _SELECTED, "additionalProperties": False}
EVENT = record(
    id=TEXT,
    type=optional(TEXT),
    orderId=optional(TEXT),
    status=TEXT,
    attempts=NUMBER,
    error=TEXT,
    nextAttemptAt=optional(TEXT),
    topic=TEXT,
    partition=NUMBER,
    offset=NUMBER,
    key=optional(TEXT),
    failedAt=TEXT,
    lastFailedAt=TEXT,
)
STORE_AWAY = (503,)

LIST = Operation(
    "Failed events, the latest failure first",
    query={**FILTERS, "limit": integer(1, MAX_LIMIT, DEFAULT_LIMIT)},
    response=record(service=TEXT, events=array(EVENT), counts=record(retrying=NUMBER, dead=NUMBER, dismissed=NUMBER)),
    refusals=STORE_AWAY,
)
SHOW = Operation(
    "One failed event with its record, masked", required={"id": UUID_TEXT}, response=EVENT, refusals=(404, *STORE_AWAY)
)
REDRIVE = Operation(
    "Make dead events retrying again, with 0 attempts",
    body=SELECTION,
    response=record(service=TEXT, matched=NUMBER, redriven=NUMBER),
    refusals=STORE_AWAY,
)
RETRY_LAST = Operation(
    "Retry retrying events now, for the last time: those that fail are dead",
    body=SELECTION,
    response=record(service=TEXT, matched=NUMBER, lastRetries=NUMBER),
    refusals=STORE_AWAY,
)
DISMISS = Operation(
    "Dismiss dead events with a reason: they are not processed",
    body={
        **SELECTION,
        "required": ["because"],
        "properties": {**_SELECTED, "because": {"type": "string", "minLength": 1, "maxLength": LONGEST_REASON}},
    },
    response=record(service=TEXT, matched=NUMBER, dismissed=NUMBER),
    refusals=STORE_AWAY,
)
SHOW_OUTCOME = Operation(
    "The outcome of an event in this service",
    required={"id": UUID_TEXT},
    response=record(service=TEXT, id=TEXT, outcome=TEXT),
    refusals=(404, *STORE_AWAY),
)
RETRY = Operation(
    "Retry a retrying event now",
    body={**record(id=UUID_TEXT), "additionalProperties": True},
    response=record(service=TEXT, id=TEXT, attempt=NUMBER, of=NUMBER, error=TEXT),
    refusals=(404, 409, *STORE_AWAY),
)
