"""Refused requests by cause, provider and source over time; quarantined webhooks; secrets that fail."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from console.queries.lookup import Row, rows
from runtime.json_value import JsonValue
from stream.events.redaction import masked_text

MINUTE = 60_000_000
RECENT = 10 * MINUTE
MAX_ROWS = 100
MAX_GROUPS = 50

FAILING_SECRETS = """
SELECT provider, retired_secret AS fingerprint, count(*) AS requests, max(received_at) AS last_at
  FROM refusals WHERE received_at >= %(since)s AND retired_secret IS NOT NULL
 GROUP BY 1, 2 ORDER BY 3 DESC
"""
GROUPS = """
SELECT provider, cause, source, count(*) AS count, max(received_at) AS last_at,
       count(*) FILTER (WHERE retired_secret IS NOT NULL) AS retired
  FROM refusals WHERE received_at >= %(since)s AND (%(cause)s::text IS NULL OR cause = %(cause)s)
   AND (%(provider)s::text IS NULL OR provider = %(provider)s)
 GROUP BY 1, 2, 3 ORDER BY 4 DESC, 5 DESC LIMIT %(most)s
"""
OVER_TIME = """
SELECT received_at - mod(received_at, %(span)s) AS start, count(*) AS count
  FROM refusals WHERE received_at >= %(since)s AND (%(cause)s::text IS NULL OR cause = %(cause)s)
   AND (%(provider)s::text IS NULL OR provider = %(provider)s)
 GROUP BY 1 ORDER BY 1
"""
# The kinds are an index's condition: few webhooks are of them. Those of paused providers have not FAILED, and are
# counted apart.
QUARANTINED = """
SELECT webhook_id::text, provider, event_type AS cause, kind, error, received_at, inbox.topic, inbox.partition,
       inbox."offset"
  FROM webhooks LEFT JOIN inbox ON inbox.event_id = webhook_id
 WHERE status = 'FAILED' AND kind IN ('quarantine', 'unverified')
   AND (%(cause)s::text IS NULL OR event_type = %(cause)s) AND (%(provider)s::text IS NULL OR provider = %(provider)s)
   AND (%(ids)s::text[] IS NULL OR webhook_id::text = ANY (%(ids)s::text[]))
 ORDER BY received_at DESC, webhook_id LIMIT %(most)s
"""
CAUSES = """
SELECT event_type AS cause, count(*) AS count FROM webhooks
 WHERE status = 'FAILED' AND kind IN ('quarantine', 'unverified') GROUP BY 1 ORDER BY 2 DESC
"""


class FailingSecret(NamedTuple):
    """Requests that a retired secret would have proved: how many of the last RECENT, and the latest."""

    provider: str
    fingerprint: str
    requests: int
    last_at: int


def failing_secrets(tx: Connection, now: int) -> list[FailingSecret]:
    """Return the providers whose requests of the last RECENT are signed with a retired secret."""
    return [FailingSecret(**row) for row in rows(tx, FAILING_SECRETS, {"since": now - RECENT})]


def groups(tx: Connection, since: int, cause: str | None, provider: str | None) -> list[Row]:
    """Return the refused requests since then, counted by provider, cause and source, the most first."""
    return rows(tx, GROUPS, {"since": since, "cause": cause, "provider": provider, "most": MAX_GROUPS})


def over_time(tx: Connection, since: int, span: int, cause: str | None, provider: str | None) -> dict[int, int]:
    """Return the number of refused requests by the start of each span of microseconds."""
    found = rows(tx, OVER_TIME, {"since": since, "span": span, "cause": cause, "provider": provider})
    return {row["start"]: row["count"] for row in found}


def quarantined(
    tx: Connection, cause: str | None = None, provider: str | None = None, ids: Sequence[str] | None = None
) -> list[dict[str, JsonValue]]:
    """Return at most MAX_ROWS quarantined webhooks that were not released, the latest first."""
    values = {"cause": cause, "provider": provider, "ids": None if ids is None else list(ids), "most": MAX_ROWS}
    return [{**row, "error": masked_text(row["error"] or "")} for row in rows(tx, QUARANTINED, values)]


def causes(tx: Connection) -> dict[str, int]:
    """Return how many webhooks are quarantined for which cause."""
    return {row["cause"]: row["count"] for row in rows(tx, CAUSES, {})}
