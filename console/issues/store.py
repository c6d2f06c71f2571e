"""The tables of the issues: the SQL of the worker."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from console.domain import OutcomeReport
from console.issues.domain import Death, deaths
from stream.store.bulk_sql import write

# An event that never died has no row here and costs one look-up in a table that is usually empty. Which outcomes
# arrive first makes no difference: all outcomes of an event are read again. The look-up is a query of its own: joined
# with the outcomes of the dead by OR, Postgres reads all outcomes of the log (447 of 678 us a webhook at 10^6).
KNOWN = "SELECT DISTINCT event_id::text FROM issue_events WHERE event_id = ANY (%(ids)b::text[]::uuid[])"
READ = """
SELECT event_id::text, service, topic, partition, "offset", outcome, attempt, error, at
  FROM outcomes WHERE event_id = ANY (%(ids)b::text[]::uuid[])
"""
INSERT = """
INSERT INTO issues (issue_id, service, cause, line)
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(services)b::text[], %(causes)b::text[], %(lines)b::text[])
ON CONFLICT DO NOTHING
"""
UPSERT_EVENTS = """
INSERT INTO issue_events (issue_id, event_id, died_at, is_dead)
SELECT * FROM unnest(%(issues)b::text[]::uuid[], %(events)b::text[]::uuid[], %(times)b::bigint[], %(deads)b::bool[])
ON CONFLICT (issue_id, event_id) DO UPDATE SET died_at = excluded.died_at, is_dead = excluded.is_dead
 WHERE (issue_events.died_at, issue_events.is_dead) IS DISTINCT FROM (excluded.died_at, excluded.is_dead)
"""


def update(tx: Connection, outcomes: Iterable[tuple[str, bool]]) -> None:
    """Derive the issues of these events again; `outcomes` are pairs of event id and whether it died.

    The outcomes must be stored already.
    """
    pairs = set(outcomes)
    if not pairs:
        return
    known = tx.exec_driver_sql(KNOWN, {"ids": sorted({event for event, _ in pairs})}).scalars()
    concerned = {event for event, died in pairs if died}.union(known)
    if not concerned:
        return
    reports = defaultdict[str, list[OutcomeReport]](list)
    for event_id, *report in tx.exec_driver_sql(READ, {"ids": sorted(concerned)}):
        reports[event_id].append(OutcomeReport(*report))
    _write(tx, [(event_id, death) for event_id in sorted(reports) for death in deaths(reports[event_id])])


def _write(tx: Connection, found: Sequence[tuple[str, Death]]) -> None:
    """Write issues and events, sorted, so that two consoles lock rows in the same order."""
    issues = sorted(
        {(d.signature.issue_id, d.signature.service, d.signature.cause, d.signature.line) for _, d in found}
    )
    write(tx, INSERT, "ids services causes lines", issues)
    rows = sorted((d.signature.issue_id, event_id, d.died_at, d.is_dead) for event_id, d in found)
    write(tx, UPSERT_EVENTS, "issues events times deads", rows)
