"""Queries of refused requests (by cause, provider and source, over time), quarantined webhooks, and failing secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from console.queries.lookup import Row, rows
from runtime.json_value import JsonValue
from stream.events.text.redaction import masked_text

MINUTE = 60_000_000
RECENT = 10 * MINUTE
"""How far back secrets that fail are looked for, in microseconds."""
RECORDED_A_SECOND = 20
"""The gateway's limit of recorded refusals: there were more than are counted if a second has so many (ADR 29)."""
MAX_ROWS = 100
MAX_GROUPS = 50

FAILING_SECRETS = """
SELECT provider, retired_secret AS fingerprint, count(*) AS requests
  FROM refusals WHERE received_at >= %(since)s AND retired_secret IS NOT NULL
 GROUP BY 1, 2 ORDER BY 3 DESC
"""
SIGNATURE_FAILURES = """
WITH by_source AS (
    SELECT provider, source, count(*) AS requests, count(retired_secret) AS retired,
           mode() WITHIN GROUP (ORDER BY retired_secret) AS fingerprint
      FROM refusals WHERE received_at >= %(since)s AND cause = ANY (%(causes)b::text[]) GROUP BY 1, 2)
SELECT provider, sum(requests)::bigint AS requests, count(source) AS sources,
       (array_agg(source ORDER BY requests DESC, source))[1] AS top_source, max(requests) AS of_top,
       sum(retired)::bigint AS retired, (array_agg(fingerprint ORDER BY retired DESC, source))[1] AS fingerprint
  FROM by_source GROUP BY provider
"""
AT_LIMIT = """
SELECT EXISTS (SELECT FROM refusals WHERE received_at >= %(since)s AND retired_secret IS NULL
                GROUP BY received_at / 1000000 HAVING count(*) >= %(limit)s)
"""
GROUPS = """
SELECT provider, cause, source, count(*) AS count, max(received_at) AS last_at,
       count(*) FILTER (WHERE retired_secret IS NOT NULL) AS retired
  FROM refusals WHERE received_at >= %(since)s AND (%(cause)s::text IS NULL OR cause = %(cause)s)
   AND (%(provider)s::text IS NULL OR provider = %(provider)s)
 GROUP BY 1, 2, 3 ORDER BY 4 DESC, 5 DESC LIMIT %(most)s
"""
OVER_TIME = """
SELECT received_at - mod(received_at, %(span)s) AS start, count(*) AS count
  FROM refusals WHERE received_at >= %(since)s AND (%(cause)s::text IS NULL OR cause = %(cause)s)
   AND (%(provider)s::text IS NULL OR provider = %(provider)s)
 GROUP BY 1 ORDER BY 1
"""
# The kinds are an index's condition: few webhooks are of them. Those of paused providers have not FAILED, and are
# counted apart.
QUARANTINED = """
SELECT webhook_id::text, provider, event_type AS cause, kind, error, received_at, inbox.topic, inbox.partition,
       inbox."offset"
  FROM webhooks LEFT JOIN inbox ON inbox.event_id = webhook_id
 WHERE status = 'FAILED' AND kind IN ('quarantine', 'unverified')
   AND (%(cause)s::text IS NULL OR event_type = %(cause)s) AND (%(provider)s::text IS NULL OR provider = %(provider)s)
   AND (%(ids)s::text[] IS NULL OR webhook_id::text = ANY (%(ids)s::text[]))
 ORDER BY received_at DESC, webhook_id LIMIT %(most)s
"""
CAUSES = """
SELECT event_type AS cause, count(*) AS count FROM webhooks
 WHERE status = 'FAILED' AND kind IN ('quarantine', 'unverified') GROUP BY 1 ORDER BY 2 DESC
"""


class FailingSecret(NamedTuple):
    """A retired secret that still signs a provider's requests, and how many of them within RECENT."""

    provider: str
    fingerprint: str
    requests: int


@dataclass(frozen=True, slots=True)
class SignatureFailures:
    """The requests of a provider that were refused for their signature within `period_us` microseconds.

    They came from `sources` addresses, `of_top` of them from `top_source`; that is None if the address is not known.
    `retired` of them were signed with a retired secret, most with the one whose fingerprint is `fingerprint`, None if
    `retired` is 0. `is_capped` is True if there may have been more, since the gateway records only RECORDED_A_SECOND.
    """

    period_us: int
    requests: int
    sources: int
    top_source: str | None
    of_top: int
    retired: int = 0
    fingerprint: str | None = None
    is_capped: bool = False


def signature_failures(tx: Connection, since: int, now: int, causes: Sequence[str]) -> dict[str, SignatureFailures]:
    """Return by provider the requests refused for one of the causes and received at or after `since`.

    Their `period_us` ends at `now`. Times are microseconds since 1970 UTC. Providers without such requests are missing.
    """
    found = rows(tx, SIGNATURE_FAILURES, {"since": since, "causes": list(causes)})
    capped = bool(found) and rows(tx, AT_LIMIT, {"since": since, "limit": RECORDED_A_SECOND})[0]["exists"]
    return {
        row["provider"]: SignatureFailures(
            now - since, **{name: value for name, value in row.items() if name != "provider"}, is_capped=capped
        )
        for row in found
    }


def failing_secrets(tx: Connection, now: int) -> list[FailingSecret]:
    """Return the retired secrets with which requests within RECENT before `now` were signed, the most used first.

    `now` is in microseconds since 1970 UTC.
    """
    return [FailingSecret(**row) for row in rows(tx, FAILING_SECRETS, {"since": now - RECENT})]


def groups(tx: Connection, since: int, cause: str | None, provider: str | None) -> list[Row]:
    """Return the largest MAX_GROUPS groups of refused requests since then, by provider, cause and source.

    `count` is the number of requests, `retired` how many of them a retired secret had signed. `cause` and `provider`
    select, None selects all. Times are microseconds since 1970 UTC.
    """
    return rows(tx, GROUPS, {"since": since, "cause": cause, "provider": provider, "most": MAX_GROUPS})


def over_time(tx: Connection, since: int, span: int, cause: str | None, provider: str | None) -> dict[int, int]:
    """Return the number of refused requests received since then, by the start of each span of `span` microseconds.

    Spans without requests are missing. `cause` and `provider` select, None selects all.
    """
    found = rows(tx, OVER_TIME, {"since": since, "span": span, "cause": cause, "provider": provider})
    return {row["start"]: row["count"] for row in found}


def quarantined(
    tx: Connection, cause: str | None = None, provider: str | None = None, ids: Sequence[str] | None = None
) -> list[dict[str, JsonValue]]:
    """Return at most MAX_ROWS quarantined or unverified webhooks that were not released, the latest first.

    `cause`, `provider` and `ids` select, None selects all. Webhooks quarantined by a pause are left out.
    """
    values = {"cause": cause, "provider": provider, "ids": None if ids is None else list(ids), "most": MAX_ROWS}
    return [{**row, "error": masked_text(row["error"] or "")} for row in rows(tx, QUARANTINED, values)]


def causes(tx: Connection) -> dict[str, int]:
    """Return the number of webhooks that `quarantined` selects by cause, the most first."""
    return {row["cause"]: row["count"] for row in rows(tx, CAUSES, {})}
