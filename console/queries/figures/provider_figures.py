"""Figures of each provider from the log: when it last posted, how much, and its verification requests."""

from sqlalchemy import Connection

from console.queries.figures.spans import DAY, HOUR
from console.queries.lookup import rows
from runtime.json_value import JsonValue

# The newest hour with a webhook is in the counts; the time in it is one index scan of that hour.
SEEN = """
SELECT provider, sum(count) FILTER (WHERE start >= %(day)s)::bigint AS day,
       sum(count) FILTER (WHERE start >= %(hour)s)::bigint AS hour, max(start) AS last_hour
  FROM webhook_counts WHERE span = 3600000000 AND count > 0 GROUP BY provider
"""
LAST = """
SELECT max(received_at) FROM webhooks
 WHERE received_at >= %(start)s AND received_at < %(start)s + 3600000000
   AND coalesce(provider, 'unknown') = %(provider)s
"""
VERIFICATION_REQUESTS = """
SELECT provider, count(*) AS asked, count(*) FILTER (WHERE status = 'PROCESSED') AS answered,
       count(*) FILTER (WHERE status IN ('RECEIVED', 'FAILED', 'RETRYING')) AS open
  FROM webhooks WHERE kind = 'unconfirmed' AND received_at >= %(since)s GROUP BY provider
"""


def figures(tx: Connection, now: int) -> dict[str, dict[str, JsonValue]]:
    """Return by canonical name of the provider: `day`, `hour`, `last_at` and `verification_requests`.

    `day` and `hour` count webhooks of full hours: those in the hours that began within 24 hours, or 1 hour, before
    `now`. `last_at` is the receipt of the last one; `verification_requests` of 24 hours are counted as asked, answered
    and open, None if there were none. Times are microseconds since 1970 UTC.
    """
    found: dict[str, dict[str, JsonValue]] = {}
    values = {"day": now - DAY, "hour": now - HOUR}
    for row in rows(tx, SEEN, values):
        last = tx.exec_driver_sql(LAST, {"start": row["last_hour"], "provider": row["provider"]}).scalar()
        found[row["provider"]] = {
            "day": row["day"] or 0,
            "hour": row["hour"] or 0,
            "last_at": last,
            "verification_requests": None,
        }
    for row in rows(tx, VERIFICATION_REQUESTS, {"since": now - DAY}):
        verification_requests = {"asked": row["asked"], "answered": row["answered"], "open": row["open"]}
        found.setdefault(row["provider"], {"day": 0, "hour": 0, "last_at": None})["verification_requests"] = (
            verification_requests
        )
    return found
