"""The SQL with which a poller claims verifications and writes their verdicts.

A claim is a lease: it postpones the next attempt in its own transaction. A verification whose poller died is therefore
due again when the lease has expired, and no transaction is open while a provider answers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from confirmer.verdict import Confirmed, Refused, RetryLater, Unknown, Verdict
from runtime import faults
from stream.events.text.json_text import without_nul
from stream.store.pausing import NOT_PAUSED

PROVIDERS_DUE = f"""
SELECT provider FROM unnest(%(providers)b::text[]) AS one (provider)
 WHERE {NOT_PAUSED} AND EXISTS (SELECT FROM verification_requests
                WHERE verification_requests.provider = one.provider AND status = 'asking' AND next_attempt_at <= now())
"""  # noqa: S608 - a constant condition

# First those about known orders, then the newest, then by turn; and with each, all that are due about the same
# alias, because one request answers them all. Fewer attempts come first.
CLAIM = f"""
WITH about_known AS (
    SELECT request_id, subject, alias FROM verification_requests
     WHERE provider = %(provider)s AND status = 'asking' AND known AND next_attempt_at <= now()
     ORDER BY least(attempts, 3), turn LIMIT %(known)s FOR UPDATE SKIP LOCKED),
newest AS (
    SELECT request_id, subject, alias FROM verification_requests
     WHERE provider = %(provider)s AND status = 'asking' AND attempts = 0 AND next_attempt_at <= now()
       AND request_id NOT IN (SELECT request_id FROM about_known)
     ORDER BY received_at DESC LIMIT %(newest)s FOR UPDATE SKIP LOCKED),
first AS (SELECT * FROM about_known UNION ALL SELECT * FROM newest),
others AS (
    SELECT request_id, subject, alias FROM verification_requests
     WHERE provider = %(provider)s AND status = 'asking' AND next_attempt_at <= now()
       AND request_id NOT IN (SELECT request_id FROM first)
     ORDER BY least(attempts, 3), turn LIMIT %(most)s - (SELECT count(*) FROM first) FOR UPDATE SKIP LOCKED),
due AS (SELECT * FROM (SELECT * FROM first UNION ALL SELECT * FROM others) AS claimed WHERE {NOT_PAUSED}),
beside AS (
    SELECT request_id FROM verification_requests JOIN (SELECT DISTINCT subject, alias FROM due) AS asked
     USING (subject, alias)
     WHERE provider = %(provider)s AND status = 'asking' AND next_attempt_at <= now()
     LIMIT %(beside)s FOR UPDATE OF verification_requests SKIP LOCKED),
leased AS (
    UPDATE verification_requests SET attempts = attempts + 1, asked_at = now(),
                         next_attempt_at = now() + %(lease_s)s * interval '1 second'
     WHERE request_id IN (SELECT request_id FROM due UNION SELECT request_id FROM beside)
    RETURNING request_id, attempts, unread, record)
SELECT request_id::text, attempts, unread, record, partition, "offset"
  FROM leased JOIN inbox ON inbox.event_id = leased.request_id
"""  # noqa: S608 - a constant condition
UNRESERVED = 3
"""Number of verifications in a claim that are not reserved for known orders: the newest one, and others by turn."""

# An untrue or unknown webhook is never verified again. Its record, the largest part of a row that anybody can cause, is
# deleted.
END = """
UPDATE verification_requests SET status = %(status)s, error = %(error)s, event_id = %(event_id)s::uuid,
                     record = CASE %(status)s WHEN 'confirmed' THEN record ELSE '' END
 WHERE request_id = %(id)s::uuid AND status = 'asking'
"""
POSTPONE = """
UPDATE verification_requests SET error = %(error)s, unread = unread + %(unread)s,
                     next_attempt_at = now() + %(seconds)s * interval '1 second',
                     turn = greatest(turn, now() + %(seconds)s * interval '1 second')
 WHERE request_id = %(id)s::uuid AND status = 'asking'
"""
# A webhook that is delivered again then gets this outcome, and not `waiting`.
SET_INBOX_OUTCOME = "UPDATE inbox SET outcome = %(outcome)s WHERE event_id = %(id)s::uuid"
MAX_BESIDE = 200
"""Maximum number of verifications that a claim adds because they are about the alias of another in it."""


@dataclass(frozen=True, slots=True)
class ClaimedVerification:
    """A verification leased to this poller.

    `attempts` counts this attempt, `unread` the unreadable responses before it. `record` is the encoded webhook;
    `partition` and `offset` are its position on `webhooks.unconfirmed.v1`.
    """

    request_id: str
    attempts: int
    unread: int
    record: bytes
    partition: int
    offset: int


def providers_due(tx: Connection, providers: Collection[str]) -> set[str]:
    """Return those of `providers` that have verifications due; none while the confirmer is paused."""
    return {row[0] for row in tx.exec_driver_sql(PROVIDERS_DUE, {"providers": list(providers)})}


@faults.on_return("poller.after_claim")
def claim(tx: Connection, provider: str, most: int, lease_s: float) -> list[ClaimedVerification]:
    """Lease up to `most` due verifications of `provider`, and up to MAX_BESIDE others about the same aliases.

    The leases expire `lease_s` seconds after the begin of the transaction `tx`. Return the verifications with this
    attempt counted; none while the confirmer is paused. Rows that another poller claims are skipped.
    """
    shares = {"known": max(1, most - UNRESERVED), "newest": int(most >= UNRESERVED)}
    wanted = {"provider": provider, "most": most, "beside": MAX_BESIDE, "lease_s": lease_s, **shares}
    return [ClaimedVerification(*row) for row in tx.exec_driver_sql(CLAIM, wanted)]


@faults.on_call("poller.after_publish")
def save_verdicts(tx: Connection, verdicts: Sequence[tuple[ClaimedVerification, Verdict]]) -> None:
    """Write the verdicts and the outcomes in the inbox, in the transaction `tx`.

    A verification that another poller has ended meanwhile stays as it is, and so does its outcome.
    """
    for claimed, verdict in sorted(verdicts, key=lambda pair: pair[0].request_id):
        statement, values = _update(verdict)
        is_open = tx.exec_driver_sql(statement, {"id": claimed.request_id, **values}).rowcount
        if is_open and not isinstance(verdict, RetryLater):
            outcome = "processed" if isinstance(verdict, Confirmed) else "dead"
            tx.exec_driver_sql(SET_INBOX_OUTCOME, {"id": claimed.request_id, "outcome": outcome})


def _update(verdict: Verdict) -> tuple[str, dict[str, object]]:
    match verdict:
        case Confirmed(event):
            event_id = event.webhook.envelope.event_id
            return END, {"status": "confirmed", "error": None, "event_id": event_id}
        case Refused(_, error):
            return END, {"status": "untrue", "error": without_nul(error), "event_id": None}
        case Unknown(error):
            return END, {"status": "unknown", "error": without_nul(error), "event_id": None}
        case RetryLater(error, seconds, unread):
            return POSTPONE, {"error": without_nul(error), "seconds": seconds, "unread": int(unread)}
