"""The SQL of the operators' actions on failed events, which are the rows of the table `retries`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from stream.store.retrying import MAX_RETRIES, Status
from stream.store.waiting import OVERDUE

_LIKE = re.compile(r"[\\%_]")
"""The characters with a special meaning in a LIKE pattern."""

# Filters are arrays too; an empty array does not restrict the selection.
MATCHES = """
 (%(ids)b::text[] = '{}' OR event_id::text = ANY (%(ids)b::text[]))
   AND (%(statuses)b::text[] = '{}' OR status = ANY (%(statuses)b::text[]))
   AND (%(orders)b::text[] = '{}'
        OR key = ANY (SELECT convert_to(name, 'UTF8') FROM unnest(%(orders)b::text[]) AS name))
   AND (%(causes)b::text[] = '{}'
        OR error ILIKE ALL (SELECT '%%' || cause || '%%' FROM unnest(%(causes)b::text[]) AS cause))
   AND (%(since)b::timestamptz IS NULL OR last_failed_at >= %(since)b::timestamptz)
   AND (%(until)b::timestamptz IS NULL OR last_failed_at < %(until)b::timestamptz)
"""

Row = Mapping[str, Any]
"""A row by column, as SQLAlchemy returns it."""

LIST = f"""
SELECT event_id::text, topic, partition, "offset", key, value, status, attempts, error,
       failed_at, last_failed_at, next_attempt_at, dismissed_because, dismissed_at
  FROM retries WHERE {MATCHES} ORDER BY last_failed_at DESC, event_id LIMIT %(most)b
"""  # noqa: S608 - the condition is a constant, its values are parameters

# Avro encodes a text as UTF-8, so a record that names an order contains the bytes of the name.
CANDIDATES = f"""
SELECT event_id::text, key, value FROM retries
 WHERE {MATCHES} AND EXISTS (
       SELECT FROM unnest(%(names)b::text[]) AS name
        WHERE key = convert_to(name, 'UTF8') OR position(convert_to(name, 'UTF8') IN value) > 0)
"""  # noqa: S608

COUNT = f"SELECT count(*) FROM retries WHERE status = %(status)b::text AND {MATCHES}"  # noqa: S608

REDRIVE = f"""
WITH chosen AS (
    SELECT event_id FROM retries WHERE status = 'dead' AND {MATCHES} ORDER BY event_id FOR UPDATE),
redriven AS (
    UPDATE retries SET status = 'retrying', attempts = 0, next_attempt_at = now()
      FROM chosen WHERE retries.event_id = chosen.event_id RETURNING retries.event_id)
UPDATE inbox SET outcome = 'retrying' FROM redriven WHERE inbox.event_id = redriven.event_id
"""  # noqa: S608

# Before all due events: while consumption is stopped, they are retried one at a time, and there may be a thousand.
BEFORE_ALL_DUE = """
least(now(), (SELECT min(next_attempt_at) - interval '1 microsecond' FROM retries WHERE status = 'retrying'))
"""

# More than MAX_RETRIES: the next failure ends the retries, also while attempts are not counted.
RETRY_LAST = f"""
WITH chosen AS (
    SELECT event_id FROM retries WHERE status = 'retrying' AND {MATCHES} ORDER BY event_id FOR UPDATE)
UPDATE retries SET attempts = {MAX_RETRIES + 1}, next_attempt_at = {BEFORE_ALL_DUE}
  FROM chosen WHERE retries.event_id = chosen.event_id
"""  # noqa: S608

# The outcome in the inbox stays `dead`: that is what happened to the event.
DISMISS = f"""
WITH chosen AS (
    SELECT event_id FROM retries WHERE status = 'dead' AND {MATCHES} ORDER BY event_id FOR UPDATE)
UPDATE retries SET status = 'dismissed', dismissed_because = %(because)b::text, dismissed_at = now(),
                  dismissal_published = false
  FROM chosen WHERE retries.event_id = chosen.event_id RETURNING retries.event_id::text
"""  # noqa: S608

# Events that waited too long did not fail, so they have a row in the inbox only.
WAITED = """
inbox.outcome = 'dead' AND NOT EXISTS (SELECT FROM retries WHERE retries.event_id = inbox.event_id)
"""
COUNT_WAITED = f"SELECT count(*) FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND {WAITED}"  # noqa: S608
DISMISS_WAITED = f"""
INSERT INTO retries (event_id, topic, partition, "offset", attempts, error, status, next_attempt_at,
                    dismissed_because, dismissed_at, dismissal_published)
SELECT event_id, topic, partition, "offset", 0, %(error)b::text, 'dismissed', now(), %(because)b::text, now(), false
  FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND {WAITED}
 ORDER BY event_id ON CONFLICT DO NOTHING RETURNING event_id::text
"""  # noqa: S608

# For a replay: apply dismissals that were published before.
RESTORE_DISMISSED = """
UPDATE retries SET status = 'dismissed', dismissed_because = saved.because, dismissed_at = to_timestamp(saved.at / 1e6)
  FROM unnest(%(ids)b::text[]::uuid[], %(reasons)b::text[], %(times)b::bigint[]) AS saved (event_id, because, at)
 WHERE retries.event_id = saved.event_id AND status = 'dead'
"""
RESTORE_WAITED = f"""
INSERT INTO retries (event_id, topic, partition, "offset", attempts, error, status, next_attempt_at,
                    dismissed_because, dismissed_at)
SELECT event_id, topic, partition, "offset", 0, %(error)b::text, 'dismissed', now(), because, to_timestamp(at / 1e6)
  FROM inbox
  JOIN unnest(%(ids)b::text[]::uuid[], %(reasons)b::text[], %(times)b::bigint[]) AS saved (event_id, because, at)
 USING (event_id)
 WHERE {WAITED} ON CONFLICT DO NOTHING
"""  # noqa: S608
HAS_DEAD = "SELECT EXISTS (SELECT FROM inbox WHERE outcome = 'dead')"

RETRY_NOW = f"""
UPDATE retries SET next_attempt_at = {BEFORE_ALL_DUE} WHERE event_id = %(id)b::text::uuid AND status = 'retrying'
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Selects failed events; an empty field does not restrict the selection. Times are those of the last failure.

    `causes` are parts of the error, in any case. `orders` and `names` (ids that providers gave) are compared with the
    encoded records: `select_candidates` finds the candidates, the caller decodes and checks them.
    """

    ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    names: tuple[str, ...] = ()


def select(tx: Connection, selected: EventFilter, most: int) -> list[Row]:
    """Return the rows of at most `most` selected events, the latest failure first."""
    rows = tx.exec_driver_sql(LIST, {**_parameters(selected), "most": most}).mappings()
    return [dict(row) for row in rows]


def select_candidates(tx: Connection, selected: EventFilter) -> list[tuple[str, bytes | None, bytes | None]]:
    """Return id, key and value of selected events whose bytes contain one of the orders or names.

    A few of them contain it by chance, so the caller has to decode and check them.
    """
    parameters = {**_parameters(replace(selected, orders=())), "names": [*selected.orders, *selected.names]}
    return [(row[0], row[1], row[2]) for row in tx.exec_driver_sql(CANDIDATES, parameters)]


def count(tx: Connection, status: Status, selected: EventFilter) -> int:
    """Return the number of selected events with this status."""
    found: int = tx.exec_driver_sql(COUNT, {**_parameters(selected), "status": status}).scalar_one()
    return found


def count_waited(tx: Connection, selected: EventFilter) -> int:
    """Return the number of events that waited too long; 0 unless the filter consists of ids only."""
    found: int = tx.exec_driver_sql(COUNT_WAITED, {"ids": list(_ids_only(selected))}).scalar_one()
    return found


def redrive(tx: Connection, selected: EventFilter) -> int:
    """Make the selected dead events retrying again, with 0 attempts and due now; return their number."""
    return tx.exec_driver_sql(REDRIVE, _parameters(selected)).rowcount


def retry_last(tx: Connection, selected: EventFilter) -> int:
    """Make the next retry of the selected retrying events their last, and due now; return their number."""
    return tx.exec_driver_sql(RETRY_LAST, _parameters(selected)).rowcount


def dismiss(tx: Connection, selected: EventFilter, reason: str) -> list[str]:
    """Dismiss the selected dead events with the operator's reason; return their ids.

    Events that waited too long are dismissed only when the filter consists of ids only.
    """
    failed = tx.exec_driver_sql(DISMISS, {**_parameters(selected), "because": reason}).scalars()
    values = {"ids": list(_ids_only(selected)), "because": reason, "error": OVERDUE}
    return [*failed, *tx.exec_driver_sql(DISMISS_WAITED, values).scalars()]


def has_dead(tx: Connection) -> bool:
    """Return whether any event is dead or has waited too long."""
    found: bool = tx.exec_driver_sql(HAS_DEAD).scalar_one()
    return found


def restore_dismissals(tx: Connection, dismissals: Mapping[str, tuple[str, int]]) -> None:
    """Dismiss events as their published outcomes say.

    `dismissals` has the reason and the time, in microseconds since 1970, by event id.
    """
    values = {
        "ids": list(dismissals),
        "reasons": [reason for reason, _ in dismissals.values()],
        "times": [at for _, at in dismissals.values()],
    }
    tx.exec_driver_sql(RESTORE_DISMISSED, values)
    tx.exec_driver_sql(RESTORE_WAITED, {**values, "error": OVERDUE})


def retry_now(tx: Connection, event_id: str) -> bool:
    """Make a retrying event due now; return False when no event with this id is retrying."""
    return tx.exec_driver_sql(RETRY_NOW, {"id": event_id}).rowcount > 0


def _ids_only(selected: EventFilter) -> tuple[str, ...]:
    return selected.ids if replace(selected, ids=()) == EventFilter() else ()


def _parameters(selected: EventFilter) -> dict[str, object]:
    lists = {name: list(getattr(selected, name)) for name in ("ids", "statuses", "orders")}
    causes = [_LIKE.sub(r"\\\g<0>", cause) for cause in selected.causes]
    return {**lists, "causes": causes, "since": selected.since, "until": selected.until}
