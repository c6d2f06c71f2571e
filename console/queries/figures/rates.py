"""Rates, delays and open verification requests, from counts by hour and day and from the newest rows.

In all functions `now` is in microseconds since 1970 UTC.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from console.queries.figures.spans import DAY, HOUR

HOURS = 24
"""The number of hours, the current one among them, whose rates are shown."""
ACCEPTED = """
SELECT start, provider, sum(count)::bigint,
       (sum(count) FILTER (WHERE status IN ('FAILED', 'RETRYING', 'ABANDONED')))::bigint
  FROM webhook_counts
 WHERE span = %(hour)s AND start >= %(since)s AND count > 0 AND (is_event OR status <> 'PROCESSED')
 GROUP BY start, provider
"""
SIGNATURE_CAUSES = ("invalid_signature", "missing_signature")
REFUSED = "SELECT start, provider, cause, count FROM refusal_counts WHERE start >= %(since)s"
# An unconfirmed webhook is RECEIVED until its provider has answered; a quarantined one is FAILED.
OPEN_REQUESTS = """
SELECT coalesce(sum(count), 0)::bigint FROM webhook_counts
 WHERE span = %(day)s AND start >= %(since)s AND NOT is_event AND status = 'RECEIVED'
"""
# A webhook that failed, waited for another one or was redriven counts the time in between, which says nothing of the
# system's speed: one redrive after a day would be the percentile of an hour.
HELD_UP = "outcome IN ('retrying', 'waiting', 'dead', 'dismissed')"
# Percentiles of the newest SAMPLE rows: their cost does not grow with the log.
TO_ROW = f"""
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY settled_at - received_at), count(*)
  FROM (SELECT webhook_id, received_at, settled_at FROM webhooks WHERE received_at >= %(since)s
         ORDER BY received_at DESC LIMIT %(most)s) AS newest
 WHERE settled_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM outcomes WHERE event_id = webhook_id AND {HELD_UP})
"""  # noqa: S608 - put together from constants
UUID = "~ '^[0-9a-f-]{36}$'"
TO_MAIL = f"""
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY sent_at - domain_events.received_at), count(*)
  FROM (SELECT event_id, sent_at FROM mails WHERE sent_at >= %(since)s ORDER BY sent_at DESC LIMIT %(most)s) AS newest
  JOIN domain_events
    ON domain_events.event_id = CASE WHEN newest.event_id {UUID} THEN newest.event_id::uuid END
 WHERE NOT EXISTS (SELECT FROM outcomes
                    WHERE outcomes.event_id IN (domain_events.event_id,
                                                CASE WHEN caused_by {UUID} THEN caused_by::uuid END) AND {HELD_UP})
"""  # noqa: S608 - put together from constants
SAMPLE = 500
"""The most webhooks or mails whose delays are read."""
REQUEST_DAYS = 30
"""How far back open verification requests are counted."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The median and 99th percentile of the newest `count` delays of the last hour, in seconds; None if there are 0."""

    p50_s: float | None
    p99_s: float | None
    count: int


@dataclass(slots=True)
class ProviderRates:
    """A provider's accepted webhooks and refused requests by the start of the hour.

    `wrong_signatures` are those refused requests whose cause is one of SIGNATURE_CAUSES. `unsuccessful` is the number
    of accepted webhooks in all hours that are FAILED, RETRYING or ABANDONED; `causes` are the numbers of refused
    requests in all hours by cause.
    """

    accepted: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    unsuccessful: int = 0
    refused: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    wrong_signatures: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    causes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def accepted_count(self) -> int:
        return sum(self.accepted.values())

    @property
    def refused_count(self) -> int:
        return sum(self.refused.values())


def hours(now: int) -> list[int]:
    """Return the starts of the last HOURS hours, the current one last, in microseconds since 1970 UTC."""
    return [now // HOUR * HOUR - HOUR * back for back in reversed(range(HOURS))]


def by_provider(tx: Connection, now: int) -> Mapping[str, ProviderRates]:
    """Return the rates of `hours(now)` by canonical name of the provider, the busiest first."""
    values = {"hour": HOUR, "since": hours(now)[0]}
    rates: dict[str, ProviderRates] = defaultdict(ProviderRates)
    for start, provider, accepted, unsuccessful in tx.exec_driver_sql(ACCEPTED, values):
        rates[provider].accepted[start] += accepted
        rates[provider].unsuccessful += unsuccessful or 0
    for start, provider, cause, refused in tx.exec_driver_sql(REFUSED, values):
        rates[provider].refused[start] += refused
        rates[provider].causes[cause] += refused
        if cause in SIGNATURE_CAUSES:
            rates[provider].wrong_signatures[start] += refused
    return dict(sorted(rates.items(), key=lambda pair: (-pair[1].accepted_count - pair[1].refused_count, pair[0])))


def open_verification_requests(tx: Connection, now: int) -> int:
    """Return the number of unconfirmed webhooks of the last REQUEST_DAYS whose provider has not answered yet."""
    values = {"day": DAY, "since": now - REQUEST_DAYS * DAY}
    return int(tx.exec_driver_sql(OPEN_REQUESTS, values).scalar_one())


def delays(tx: Connection, now: int) -> tuple[Delay, Delay]:
    """Return the delays of the last hour: from the receipt of a webhook to its row, and from its receipt to a mail.

    Only webhooks count that every service has processed at the first attempt (see HELD_UP).
    """
    values = {"since": now - HOUR, "most": SAMPLE}
    return _delay(tx, TO_ROW, values), _delay(tx, TO_MAIL, values)


def _delay(tx: Connection, statement: str, values: Mapping[str, int]) -> Delay:
    percentiles, count = tx.exec_driver_sql(statement, dict(values)).one()
    p50, p99 = (None if value is None else max(0.0, value / 1_000_000) for value in percentiles or (None, None))
    return Delay(p50, p99, count)
