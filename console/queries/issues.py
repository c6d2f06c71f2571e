"""Queries of issues: their state, and their events. The results have the names of the API's JSON."""

from collections.abc import Sequence

from sqlalchemy import Connection

from console.issues.domain import STATES, state
from console.queries.lookup import Row, rows
from runtime.json_value import JsonValue
from stream.events.text.redaction import masked_text

Json = dict[str, JsonValue]
ACKNOWLEDGE, RESOLVE = "issue.acknowledge", "issue.resolve"
"""The console's actions on issues, whose target is the issue's id."""
MAX_EVENTS = 100
"""The most events that are returned of an issue."""

# Of all deaths only two decide the state: the first, and the first after the issue was resolved.
LIST = """
SELECT issue_id::text, service, cause, line, events, dead, first_at, last_at, acknowledged_at, acknowledged_by,
       resolved_at, resolved_by, oldest_dead_at,
       (SELECT min(died_at) FROM issue_events AS e
         WHERE e.issue_id = issues.issue_id AND is_dead AND died_at > resolved_at) AS dead_again_at
  FROM issues
  JOIN LATERAL (
       SELECT count(*) AS events, count(*) FILTER (WHERE is_dead) AS dead, min(first_died_at) AS first_at,
              max(died_at) AS last_at, min(died_at) FILTER (WHERE is_dead) AS oldest_dead_at
         FROM issue_events AS e WHERE e.issue_id = issues.issue_id) AS counted ON events > 0
  LEFT JOIN LATERAL (
       SELECT at AS acknowledged_at, user_name AS acknowledged_by FROM actions
        WHERE target = issues.issue_id::text AND action = 'issue.acknowledge' AND result = 'done'
        ORDER BY at DESC LIMIT 1) AS acknowledged ON true
  LEFT JOIN LATERAL (
       SELECT at AS resolved_at, user_name AS resolved_by FROM actions
        WHERE target = issues.issue_id::text AND action = 'issue.resolve' AND result = 'done'
        ORDER BY at DESC LIMIT 1) AS resolved ON true
 WHERE (%(issue)s::uuid IS NULL OR issue_id = %(issue)s::uuid)
   AND (%(service)s::text IS NULL OR service = %(service)s)
 ORDER BY last_at DESC, issue_id
"""
EVENTS = """
SELECT e.event_id::text, e.died_at, e.is_dead, coalesce(w.order_id, f.order_id) AS order_id,
       coalesce(w.event_type, f.type) AS type, w.provider,
       (SELECT error FROM outcomes AS o
         WHERE o.event_id = e.event_id AND o.at = e.died_at AND o.outcome = 'dead' LIMIT 1) AS error
  FROM issue_events AS e
  LEFT JOIN webhooks AS w ON w.webhook_id = e.event_id
  LEFT JOIN domain_events AS f ON f.event_id = e.event_id
 WHERE e.issue_id = %(issue)s::uuid AND (e.is_dead OR NOT %(dead_only)s)
 ORDER BY e.is_dead DESC, e.died_at DESC, e.event_id LIMIT %(most)s
"""
DEAD_IDS = """
SELECT event_id::text FROM issue_events WHERE issue_id = %(issue)s::uuid AND is_dead ORDER BY died_at, event_id
"""


def select(tx: Connection, service: str | None = None) -> list[Json]:
    """Return all issues, or those of one service, the latest death first. Times are microseconds since 1970 UTC.

    `dead` is the number of events that are dead now, `events` the number of all that ever were. `firstAt` is when the
    first of them died for the first time; a redrive does not move it.
    """
    return [_issue(row) for row in rows(tx, LIST, {"issue": None, "service": service})]


def by_id(tx: Connection, issue_id: str) -> Json | None:
    """Return the issue with this id, which must be a UUID, with the fields of `select`; None if there is none."""
    found = rows(tx, LIST, {"issue": issue_id, "service": None})
    return _issue(found[0]) if found else None


def counts(found: Sequence[Json]) -> dict[str, int]:
    """Return the number of issues in each state."""
    return {name: sum(issue["state"] == name for issue in found) for name in STATES}


def events(tx: Connection, issue_id: str, *, dead_only: bool = False) -> list[Json]:
    """Return at most MAX_EVENTS events of an issue, dead ones before others, the latest death first.

    `dead_only` leaves out events that are not dead any more.
    """
    values = {"issue": issue_id, "dead_only": dead_only, "most": MAX_EVENTS}
    return [_event(row) for row in rows(tx, EVENTS, values)]


def dead_ids(tx: Connection, issue_id: str) -> list[str]:
    """Return the ids of the issue's dead events, the longest dead first."""
    return list(tx.exec_driver_sql(DEAD_IDS, {"issue": issue_id}).scalars())


def _issue(row: Row) -> Json:
    deaths = [at for at in (row["oldest_dead_at"], row["dead_again_at"]) if at is not None]
    return {
        "issueId": row["issue_id"],
        "service": row["service"],
        "cause": row["cause"],
        "line": row["line"],
        "state": state(deaths, row["acknowledged_at"], row["resolved_at"]),
        "dead": row["dead"],
        "events": row["events"],
        "firstAt": row["first_at"],
        "lastAt": row["last_at"],
        "acknowledgedAt": row["acknowledged_at"],
        "acknowledgedBy": row["acknowledged_by"],
        "resolvedAt": row["resolved_at"],
        "resolvedBy": row["resolved_by"],
    }


def _event(row: Row) -> Json:
    return {
        "eventId": row["event_id"],
        "type": row["type"],
        "orderId": row["order_id"],
        "provider": row["provider"],
        "error": row["error"] and masked_text(row["error"]),
        "dead": row["is_dead"],
        "diedAt": row["died_at"],
    }
