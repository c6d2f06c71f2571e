"""The refusals of `POST /retry`, and of every request while the schema registry fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from runtime.management.routes import RequestRefused
from stream.avro.codec import Codec
from stream.avro.registry_client import RegistryError
from stream.dead_letters import record_view, selection
from stream.dead_letters.selection import EventFilter
from stream.events.text.redaction import masked_text
from stream.state.retry_policy import MAX_RETRIES

ALREADY_PROCESSED = "이미 처리된 웹훅입니다"
"""The text of contract E: this webhook is processed already."""
RETRIES_EXHAUSTED = f"최대 재시도 횟수를 초과했습니다: {MAX_RETRIES}"
"""The text of contract E: the maximum number of retries is exceeded."""
NOT_RETRIED = {
    "waiting": "it did not fail: it waits for another event, such as its order, and is processed when that arrives",
    "dead": "it did not fail: the event that it waits for has not arrived; it is processed when that arrives",
    "retrying": "it is being retried at this moment; repeat the request",
    "dismissed": "it was dismissed; it is processed if the event that it waits for arrives",
    "conflict": "another event with the same id and other content was processed; this one never is",
}
"""The reason not to retry an event without a row in `retries`, by its outcome, unless the event is processed."""
PROCESSED = ("processed", "late", "duplicate")


@contextmanager
def refused_while_registry_is_away() -> Iterator[None]:
    """Raise RequestRefused (503) if the block fails with a RegistryError."""
    try:
        yield
    except RegistryError as failure:
        raise RequestRefused(503, "registry_away", f"{failure}; try again") from failure


def retry_refusal(tx: Connection, codec: Codec, event_id: str, outcome: str) -> RequestRefused:
    """Return the refusal (409) to retry an event that is not retrying. `outcome` is its outcome in the inbox."""
    if outcome in PROCESSED:
        return RequestRefused(409, "already_processed", ALREADY_PROCESSED)
    if outcome == "dead" and (rows := selection.select(tx, EventFilter(ids=(event_id,)), 1)):
        if rows[0]["status"] == "dismissed":
            return RequestRefused(409, "dismissed", f"it was dismissed: {masked_text(rows[0]['dismissed_because'])}")
        if record_view.decode(codec, rows[0]["value"])[0] is None:
            return RequestRefused(409, "undecodable", "it cannot be decoded; redrive it when its schema is known")
        return RequestRefused(409, "retries_exhausted", RETRIES_EXHAUSTED)
    return RequestRefused(409, "not_failed", NOT_RETRIED[outcome])
