"""Selects failed events, which are the rows of the table `retries`, and events that waited too long."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from stream.store.retrying import Status

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
"""A row of `retries`, by column."""
LIST = f"""
SELECT event_id::text, topic, partition, "offset", key, value, status, attempts, error,
       failed_at, last_failed_at, next_attempt_at, dismissed_because, dismissed_at
  FROM retries WHERE {MATCHES} ORDER BY last_failed_at DESC, event_id LIMIT %(most)b
"""  # noqa: S608 - the condition is a constant, its values are parameters
# Avro encodes a text as UTF-8, so a record that names an order contains the bytes of the name.
CANDIDATES = f"""
SELECT event_id::text, key, value FROM retries
 WHERE {MATCHES} AND EXISTS (
       SELECT FROM unnest(%(texts)b::text[]) AS text
        WHERE key = convert_to(text, 'UTF8') OR position(convert_to(text, 'UTF8') IN value) > 0)
"""  # noqa: S608
COUNT = f"SELECT count(*) FROM retries WHERE status = %(status)b::text AND {MATCHES}"  # noqa: S608
# Events that waited too long did not fail, so they have a row in the inbox only.
WAITED = """
inbox.outcome = 'dead' AND NOT EXISTS (SELECT FROM retries WHERE retries.event_id = inbox.event_id)
"""
COUNT_WAITED = f"SELECT count(*) FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND {WAITED}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Selects failed events that match all fields; an empty field does not restrict the selection.

    An event matches a field if it has any of the ids, statuses, orders or ids that providers gave, but only if its last
    error contains all of `causes`, in any case. Its last failure is at `since` or later, and before `until`. Only
    `select_candidates` uses `provider_ids`, and the other functions compare `orders` with the record's key alone.
    """

    ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    provider_ids: tuple[str, ...] = ()


def select(tx: Connection, selected: EventFilter, most: int) -> list[Row]:
    """Return the rows of at most `most` selected events, the latest failure first. `provider_ids` is ignored."""
    rows = tx.exec_driver_sql(LIST, {**parameters(selected), "most": most}).mappings()
    return [dict(row) for row in rows]


def select_candidates(tx: Connection, selected: EventFilter) -> list[tuple[str, bytes | None, bytes | None]]:
    """Return id, key and value of selected events whose key or value contains the bytes of one of the orders or ids.

    A few contain the bytes by chance, so the caller has to decode and check them.
    """
    texts = {"texts": [*selected.orders, *selected.provider_ids]}
    rows = tx.exec_driver_sql(CANDIDATES, parameters(replace(selected, orders=())) | texts)
    return [(row[0], row[1], row[2]) for row in rows]


def count(tx: Connection, status: Status, selected: EventFilter) -> int:
    """Return the number of selected events with this status. `selected.provider_ids` is ignored."""
    found: int = tx.exec_driver_sql(COUNT, {**parameters(selected), "status": status}).scalar_one()
    return found


def count_waited(tx: Connection, selected: EventFilter) -> int:
    """Return the number of selected events that waited too long; 0 unless the filter has ids and nothing else."""
    found: int = tx.exec_driver_sql(COUNT_WAITED, {"ids": list(ids_only(selected))}).scalar_one()
    return found


def parameters(selected: EventFilter) -> dict[str, object]:
    """Return the parameters of MATCHES."""
    lists = {name: list(getattr(selected, name)) for name in ("ids", "statuses", "orders")}
    causes = [_LIKE.sub(r"\\\g<0>", cause) for cause in selected.causes]
    return {**lists, "causes": causes, "since": selected.since, "until": selected.until}


def ids_only(selected: EventFilter) -> tuple[str, ...]:
    """Return the ids of a filter that has ids and nothing else; none for any other filter."""
    return selected.ids if replace(selected, ids=()) == EventFilter() else ()
