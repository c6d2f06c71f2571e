"""Writes the tables of the issues: the SQL of the worker."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from console.domain import OutcomeReport
from console.issues.domain import Death, Signature, deaths
from console.tables.work import issue_events, issues
from stream.store import statements

# An event that never died has no row here and costs one look-up in a table that is usually empty. Which outcomes
# arrive first makes no difference: all outcomes of an event are read again. The look-up is a query of its own: joined
# with the outcomes of the dead by OR, Postgres reads all outcomes of the log (447 of 678 us a webhook at 10^6).
KNOWN = "SELECT DISTINCT event_id::text FROM issue_events WHERE event_id = ANY (%(ids)b::text[]::uuid[])"
READ = """
SELECT event_id::text, service, topic, partition, "offset", outcome, attempt, error, at
  FROM outcomes WHERE event_id = ANY (%(ids)b::text[]::uuid[])
"""
INSERT = statements.insert_new(issues)
UPSERT_EVENTS = statements.upsert(issue_events).followed_by(
    "WHERE (issue_events.first_died_at, issue_events.died_at, issue_events.is_dead)"
    " IS DISTINCT FROM (excluded.first_died_at, excluded.died_at, excluded.is_dead)"
)


def update(tx: Connection, outcomes: Iterable[tuple[str, bool]]) -> None:
    """Derive again, and write, the issues of the events that these new outcomes concern.

    `outcomes` are pairs of an event id and whether the outcome is `dead`. They must be stored before, in the same
    transaction. Events that never died have no issue.
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
    """Write the issues and their events, sorted, so that two replicas lock rows in the same order."""
    signatures = {death.signature.issue_id: death.signature for _, death in found}
    INSERT.execute(tx, [_issue_row(signatures[issue_id]) for issue_id in sorted(signatures)])
    by_key = sorted(found, key=lambda pair: (pair[1].signature.issue_id, pair[0]))
    UPSERT_EVENTS.execute(tx, [_event_row(event_id, death) for event_id, death in by_key])


def _issue_row(signature: Signature) -> dict[str, object]:
    return {
        "issue_id": signature.issue_id,
        "service": signature.service,
        "cause": signature.cause,
        "line": signature.line,
    }


def _event_row(event_id: str, death: Death) -> dict[str, object]:
    return {
        "issue_id": death.signature.issue_id,
        "event_id": event_id,
        "first_died_at": death.first_died_at,
        "died_at": death.died_at,
        "is_dead": death.is_dead,
    }
