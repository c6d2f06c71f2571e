"""The SQL of the operators' actions on failed events, which are the rows of the table `retries`."""

from collections.abc import Mapping

from sqlalchemy import Connection

from stream.dead_letters.selection import MATCHES, WAITED, EventFilter, ids_only, parameters
from stream.state.retry_policy import MAX_RETRIES
from stream.store.waiting import OVERDUE

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


def redrive(tx: Connection, selected: EventFilter) -> int:
    """Make those selected events that are dead retrying again, with 0 attempts and due now; return their number.

    Events that waited too long are not changed: they are processed when the event arrives that they wait for.
    """
    return tx.exec_driver_sql(REDRIVE, parameters(selected)).rowcount


def retry_last(tx: Connection, selected: EventFilter) -> int:
    """Make the next retry of those selected events that are retrying their last, and due now; return their number.

    If that retry fails, they are dead. They are retried before all other events.
    """
    return tx.exec_driver_sql(RETRY_LAST, parameters(selected)).rowcount


def dismiss(tx: Connection, selected: EventFilter, reason: str) -> list[str]:
    """Dismiss those selected events that are dead, with the operator's reason; return their ids.

    Events that waited too long are dismissed only if the filter has ids and nothing else.
    """
    failed = tx.exec_driver_sql(DISMISS, {**parameters(selected), "because": reason}).scalars()
    values = {"ids": list(ids_only(selected)), "because": reason, "error": OVERDUE}
    return [*failed, *tx.exec_driver_sql(DISMISS_WAITED, values).scalars()]


def has_dead(tx: Connection) -> bool:
    """Return whether any event of the store is dead, dismissed or has waited too long."""
    found: bool = tx.exec_driver_sql(HAS_DEAD).scalar_one()
    return found


def restore_dismissals(tx: Connection, dismissals: Mapping[str, tuple[str, int]]) -> None:
    """Dismiss those of these events that are dead or have waited too long, as operators did before a replay.

    `dismissals` has, by event id, the reason and the time in microseconds since 1970 UTC.
    """
    values = {
        "ids": list(dismissals),
        "reasons": [reason for reason, _ in dismissals.values()],
        "times": [at for _, at in dismissals.values()],
    }
    tx.exec_driver_sql(RESTORE_DISMISSED, values)
    tx.exec_driver_sql(RESTORE_WAITED, {**values, "error": OVERDUE})


def retry_now(tx: Connection, event_id: str) -> bool:
    """Make a retrying event due now, before all other events; return False when no event with this id is retrying."""
    return tx.exec_driver_sql(RETRY_NOW, {"id": event_id}).rowcount > 0
