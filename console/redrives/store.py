"""The SQL of redrives. Their state is in the store, so every console shows it and can cancel it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from runtime.json_value import JsonValue

INSERT = """
INSERT INTO redrives (redrive_id, issue_id, service, event_ids, started_by)
VALUES (%(id)s::uuid, %(issue)s::uuid, %(service)s, %(events)b::text[]::uuid[], %(by)s)
ON CONFLICT (redrive_id) DO NOTHING
"""
READ = """
SELECT redrive_id::text, issue_id::text, service, event_ids::text[], done, status, started_by,
       (extract(epoch FROM started_at) * 1e6)::bigint AS started_at,
       status = 'running' AND beat_at < now() - interval '2 minutes' AS is_lost
  FROM redrives
"""
OF_ISSUE = f"{READ} WHERE issue_id = %(issue)s::uuid ORDER BY started_at DESC LIMIT 5"
BY_ID = f"{READ} WHERE redrive_id = %(id)s::uuid"
PROGRESS = "UPDATE redrives SET done = %(done)s, beat_at = now() WHERE redrive_id = %(id)s::uuid AND status = 'running'"
END = "UPDATE redrives SET status = %(status)s, beat_at = now() WHERE redrive_id = %(id)s::uuid AND status = 'running'"
# The latest outcome of each event in the service, repetitions aside.
LATEST = """
SELECT outcome, count(*) FROM (
    SELECT DISTINCT ON (event_id) outcome, at FROM outcomes
     WHERE event_id = ANY (%(events)b::text[]::uuid[]) AND service = %(service)s
       AND outcome NOT IN ('duplicate', 'conflict')
     ORDER BY event_id, at DESC) AS latest
 WHERE at >= %(since)s GROUP BY outcome
"""


@dataclass(frozen=True, slots=True)
class Redrive:
    """The redrive of some events of an issue; the first `done` of `event_ids` have been redriven.

    `status` is running, done, cancelled, failing (a whole group failed again) or failed (the service or the store
    failed). `started_at` is in microseconds since 1970 UTC. `is_lost` is True for a running redrive without progress
    for 2 minutes: the process that ran it has ended.
    """

    redrive_id: str
    issue_id: str
    service: str
    event_ids: list[str]
    done: int
    status: str
    started_by: str
    started_at: int
    is_lost: bool


def insert(tx: Connection, redrive_id: str, issue_id: str, service: str, events: Sequence[str], by: str) -> bool:
    """Store a running redrive; return False if one with this id is stored already."""
    values = {"id": redrive_id, "issue": issue_id, "service": service, "events": list(events), "by": by}
    return tx.exec_driver_sql(INSERT, values).rowcount > 0


def of_issue(tx: Connection, issue_id: str) -> list[Redrive]:
    """Return the latest 5 redrives of an issue, the newest first."""
    return [Redrive(**row) for row in tx.exec_driver_sql(OF_ISSUE, {"issue": issue_id}).mappings()]


def read(tx: Connection, redrive_id: str) -> Redrive | None:
    """Return a redrive; None if there is none with this id."""
    row: JsonValue = tx.exec_driver_sql(BY_ID, {"id": redrive_id}).mappings().one_or_none()
    return None if row is None else Redrive(**row)


def record_progress(tx: Connection, redrive_id: str, done: int) -> bool:
    """Store how many events were redriven; return False, and store nothing, if the redrive is no longer running."""
    return tx.exec_driver_sql(PROGRESS, {"id": redrive_id, "done": done}).rowcount > 0


def end(tx: Connection, redrive_id: str, status: str) -> bool:
    """End a running redrive with this status; return False, and change nothing, if it had ended already."""
    return tx.exec_driver_sql(END, {"id": redrive_id, "status": status}).rowcount > 0


def outcomes_since(tx: Connection, redrive: Redrive, events: Sequence[str]) -> dict[str, int]:
    """Return the numbers of these events by their latest outcome in the redrive's service, repetitions aside.

    Events whose latest outcome is from before the redrive began are left out.
    """
    values = {"events": list(events), "service": redrive.service, "since": redrive.started_at}
    return {row[0]: row[1] for row in tx.exec_driver_sql(LATEST, values)}
