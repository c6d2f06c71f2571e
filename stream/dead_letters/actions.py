"""What a person asks of parked events, and does about them: which, how many, again, no more. Filters narrow it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from stream.store.inbox import OVERDUE
from stream.store.retrying import MAX_RETRIES, Status

_LIKE = re.compile(r"[\\%_]")
"""What means something in a pattern of LIKE."""

# What a person asks for is given as arrays too: an empty one asks for nothing in particular.
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

LIST = f"""
SELECT event_id::text, topic, partition, "offset", key, value, status, attempts, error,
       failed_at, last_failed_at, next_attempt_at, dismissed_because, dismissed_at
  FROM parked WHERE {MATCHES} ORDER BY last_failed_at DESC, event_id LIMIT %(most)b
"""  # noqa: S608 - the filter is ours, what it asks for are parameters

# Avro writes a text as its UTF-8: what names an order has its bytes somewhere.
NAMING = f"""
SELECT event_id::text, key, value FROM parked
 WHERE {MATCHES} AND EXISTS (
       SELECT FROM unnest(%(names)b::text[]) AS name
        WHERE key = convert_to(name, 'UTF8') OR position(convert_to(name, 'UTF8') IN value) > 0)
"""  # noqa: S608

COUNT = f"SELECT count(*) FROM parked WHERE status = %(status)b::text AND {MATCHES}"  # noqa: S608

REDRIVE = f"""
WITH chosen AS (
    SELECT event_id FROM parked WHERE status = 'abandoned' AND {MATCHES} ORDER BY event_id FOR UPDATE),
redriven AS (
    UPDATE parked SET status = 'retrying', attempts = 0, next_attempt_at = now()
      FROM chosen WHERE parked.event_id = chosen.event_id RETURNING parked.event_id)
UPDATE inbox SET outcome = 'retrying' FROM redriven WHERE inbox.event_id = redriven.event_id
"""  # noqa: S608

# Before all that are due: while consumption is stopped, one after another is tried of perhaps a thousand.
FIRST = """
least(now(), (SELECT min(next_attempt_at) - interval '1 microsecond' FROM parked WHERE status = 'retrying'))
"""

# Beyond the last try that is counted: the next one ends it, also while nothing is counted.
GIVE_UP = f"""
WITH chosen AS (
    SELECT event_id FROM parked WHERE status = 'retrying' AND {MATCHES} ORDER BY event_id FOR UPDATE)
UPDATE parked SET attempts = {MAX_RETRIES + 1}, next_attempt_at = {FIRST}
  FROM chosen WHERE parked.event_id = chosen.event_id
"""  # noqa: S608

# The inbox goes on saying that it was abandoned, which is what became of it.
DISMISS = f"""
WITH chosen AS (
    SELECT event_id FROM parked WHERE status = 'abandoned' AND {MATCHES} ORDER BY event_id FOR UPDATE)
UPDATE parked SET status = 'dismissed', dismissed_because = %(because)b::text, dismissed_at = now(),
                  dismissal_published = false
  FROM chosen WHERE parked.event_id = chosen.event_id RETURNING parked.event_id::text
"""  # noqa: S608

# Events that waited too long did not fail, so only the inbox knows them.
WAITED = """
inbox.outcome = 'abandoned' AND NOT EXISTS (SELECT FROM parked WHERE parked.event_id = inbox.event_id)
"""
COUNT_WAITED = f"SELECT count(*) FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND {WAITED}"  # noqa: S608
DISMISS_WAITED = f"""
INSERT INTO parked (event_id, topic, partition, "offset", attempts, error, status, next_attempt_at,
                    dismissed_because, dismissed_at, dismissal_published)
SELECT event_id, topic, partition, "offset", 0, %(error)b::text, 'dismissed', now(), %(because)b::text, now(), false
  FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND {WAITED}
 ORDER BY event_id ON CONFLICT DO NOTHING RETURNING event_id::text
"""  # noqa: S608

# What a replay learns of dismissals that were published before.
KNOW_DISMISSED = """
UPDATE parked SET status = 'dismissed', dismissed_because = told.because, dismissed_at = to_timestamp(told.at / 1e6)
  FROM unnest(%(ids)b::text[]::uuid[], %(reasons)b::text[], %(times)b::bigint[]) AS told (event_id, because, at)
 WHERE parked.event_id = told.event_id AND status = 'abandoned'
"""
KNOW_WAITED = f"""
INSERT INTO parked (event_id, topic, partition, "offset", attempts, error, status, next_attempt_at,
                    dismissed_because, dismissed_at)
SELECT event_id, topic, partition, "offset", 0, %(error)b::text, 'dismissed', now(), because, to_timestamp(at / 1e6)
  FROM inbox
  JOIN unnest(%(ids)b::text[]::uuid[], %(reasons)b::text[], %(times)b::bigint[]) AS told (event_id, because, at)
 USING (event_id)
 WHERE {WAITED} ON CONFLICT DO NOTHING
"""  # noqa: S608
HAS_ABANDONED = "SELECT EXISTS (SELECT FROM inbox WHERE outcome = 'abandoned')"

HURRY = f"""
UPDATE parked SET next_attempt_at = {FIRST} WHERE event_id = %(id)b::text::uuid AND status = 'retrying'
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parked events are meant; what is left empty asks for nothing in particular.

    `orders` and `names` (ids that providers gave) stand in the bytes: `naming` finds the candidates.
    """

    ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    names: tuple[str, ...] = ()


def look(tx: Connection, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The parked events that are meant, those that failed last first."""
    rows = tx.exec_driver_sql(LIST, {**_asked(wanted), "most": most}).mappings()
    return [dict(row) for row in rows]


def naming(tx: Connection, wanted: Wanted) -> list[tuple[str, bytes | None, bytes | None]]:
    """Id, key and bytes of the events that are meant and may have these orders or names: a few more than do."""
    asked = {**_asked(replace(wanted, orders=())), "names": [*wanted.orders, *wanted.names]}
    return [(row[0], row[1], row[2]) for row in tx.exec_driver_sql(NAMING, asked)]


def count(tx: Connection, status: Status, wanted: Wanted) -> int:
    """How many of the events that are meant have this status."""
    found: int = tx.exec_driver_sql(COUNT, {**_asked(wanted), "status": status}).scalar_one()
    return found


def count_waited(tx: Connection, wanted: Wanted) -> int:
    """Return how many events, named by their ids alone, were abandoned because they waited too long."""
    found: int = tx.exec_driver_sql(COUNT_WAITED, {"ids": list(_named_alone(wanted))}).scalar_one()
    return found


def redrive(tx: Connection, wanted: Wanted) -> int:
    """Re-open those of the events that were given up, their attempts back at zero; how many these were."""
    return tx.exec_driver_sql(REDRIVE, _asked(wanted)).rowcount


def give_up(tx: Connection, wanted: Wanted) -> int:
    """Let the next try of those of the events that fail be their last, and at once; how many these were."""
    return tx.exec_driver_sql(GIVE_UP, _asked(wanted)).rowcount


def dismiss(tx: Connection, wanted: Wanted, because: str) -> list[str]:
    """Close those of the abandoned events that can never be handled; return their ids.

    Events that were abandoned because they waited too long are closed when they are named by their ids alone.
    """
    failed = tx.exec_driver_sql(DISMISS, {**_asked(wanted), "because": because}).scalars()
    said = {"ids": list(_named_alone(wanted)), "because": because, "error": OVERDUE}
    return [*failed, *tx.exec_driver_sql(DISMISS_WAITED, said).scalars()]


def has_abandoned(tx: Connection) -> bool:
    """Return whether any event is abandoned, by failing or by waiting too long."""
    found: bool = tx.exec_driver_sql(HAS_ABANDONED).scalar_one()
    return found


def know_dismissed(tx: Connection, dismissals: Mapping[str, tuple[str, int]]) -> None:
    """Close events that were dismissed before, as their published outcomes say: reason and time by event id."""
    said = {
        "ids": list(dismissals),
        "reasons": [because for because, _ in dismissals.values()],
        "times": [at for _, at in dismissals.values()],
    }
    tx.exec_driver_sql(KNOW_DISMISSED, said)
    tx.exec_driver_sql(KNOW_WAITED, {**said, "error": OVERDUE})


def hurry(tx: Connection, event_id: str) -> bool:
    """Let a failed event be tried again at once; False when none with this id is waiting to be."""
    return tx.exec_driver_sql(HURRY, {"id": event_id}).rowcount > 0


def _named_alone(wanted: Wanted) -> tuple[str, ...]:
    return wanted.ids if replace(wanted, ids=()) == Wanted() else ()


def _asked(wanted: Wanted) -> dict[str, Any]:
    lists = {name: list(getattr(wanted, name)) for name in ("ids", "statuses", "orders")}
    causes = [_LIKE.sub(r"\\\g<0>", cause) for cause in wanted.causes]
    return {**lists, "causes": causes, "since": wanted.since, "until": wanted.until}
