"""Queries of the log that decide about alerts: dead issues, the hours in which providers post, wrong signatures."""

from typing import NamedTuple

from sqlalchemy import Connection

# The last column says whether a person has acknowledged the issue since its last death: it is then no alert.
DEAD_ISSUES = """
SELECT issue_id::text, service, cause, line, count(*),
       max(died_at) < (SELECT max(at) FROM actions
                        WHERE target = issue_id::text AND action = 'issue.acknowledge' AND result = 'done')
  FROM issues JOIN issue_events USING (issue_id) WHERE is_dead GROUP BY issue_id, service, cause, line
"""
ACTIVE_HOURS = """
SELECT provider, array_agg(DISTINCT start) FROM webhook_counts
 WHERE span = %(hour)s AND start >= %(since)s AND count > 0 GROUP BY provider HAVING sum(count) >= %(least)s
"""


class DeadIssue(NamedTuple):
    """An issue with the number of its dead events, and whether a person has acknowledged it after the last death."""

    issue_id: str
    service: str
    cause: str
    line: str
    dead: int
    acknowledged: bool


def dead_issues(tx: Connection) -> list[DeadIssue]:
    """Return the issues that have dead events."""
    rows = tx.exec_driver_sql(DEAD_ISSUES)
    return [DeadIssue(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows]


def active_hours(tx: Connection, hour_us: int, since: int, least: int) -> dict[str, list[int]]:
    """Return by provider the starts of the hours, from `since` on, in which it posted.

    Only providers that posted at least `least` webhooks since then are returned. `hour_us` is the length of an hour;
    times are microseconds since 1970 UTC.
    """
    values = {"hour": hour_us, "since": since, "least": least}
    return {provider: list(hours) for provider, hours in tx.exec_driver_sql(ACTIVE_HOURS, values)}
