"""Polls stores and inbox until everything has arrived, or nothing has changed for some time."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial

import aiohttp
import psycopg

from simulator.inbox import Inbox, ReceivedMail
from simulator.stores import HISTORY, Stores
from simulator.story import Row
from simulator.verdict import ExpectedRun, Seen

UNAVAILABLE_S = 60.0
PAUSE_FACTOR = 3
"""A pause is at least three times the poll before it, so that polling takes at most a quarter of the time."""


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """Limits in seconds: waiting ends after `quiet_s` without a change, unless the notifier is still sending.

    It always ends after `longest_s`. `linger_s` is the time given to a double row or mail after the end of the waiting.
    `every_s` is the shortest pause between two polls.
    """

    quiet_s: float = 30.0
    longest_s: float = 1800.0
    linger_s: float = 1.0
    every_s: float = 0.25


async def settled(
    wanted: ExpectedRun, stores: Stores, inbox: Inbox, limits: WaitLimits, on_look: Callable[[Seen], None]
) -> Seen:
    """Poll until everything has arrived or a limit is reached; then read everything once more, and return that.

    `on_look` is called with the result of each poll. Only the returned result has `applied`. Raises
    psycopg.OperationalError, aiohttp.ClientError or TimeoutError if a store or the inbox is away for UNAVAILABLE_S.
    """
    seen = Seen()
    began = changed = time.monotonic()
    while not _is_over(wanted, seen, limits, (began, changed)):
        polled = time.monotonic()
        before, seen = seen, await _retry(partial(_poll_missing, wanted, seen, stores, inbox))
        on_look(seen)
        now = time.monotonic()
        changed = now if seen != before else changed
        await asyncio.sleep(max(limits.every_s, PAUSE_FACTOR * (now - polled)))
    await asyncio.sleep(limits.linger_s)
    return await _retry(partial(_poll, wanted, stores, inbox))


async def _retry(poll: Callable[[], Awaitable[Seen]]) -> Seen:
    """Repeat a poll while a store or the inbox is away, as some runs inject faults; after UNAVAILABLE_S, raise."""
    until = time.monotonic() + UNAVAILABLE_S
    while True:
        try:
            return await poll()
        except (psycopg.OperationalError, aiohttp.ClientError, TimeoutError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.3)


def _is_over(wanted: ExpectedRun, seen: Seen, limits: WaitLimits, times: tuple[float, float]) -> bool:
    began, changed = times
    now = time.monotonic()
    quiet = now - changed > limits.quiet_s and not seen.is_unfinished()
    return seen.is_complete(wanted) or quiet or now - began > limits.longest_s


async def _poll_missing(wanted: ExpectedRun, before: Seen, stores: Stores, inbox: Inbox) -> Seen:
    """Read the inbox, and the rows that were missing at the last poll; keep the rows that were not."""
    rows = await _rows(wanted.rows - before.rows.keys(), stores)
    mails = await _mails(wanted, inbox)
    missing = wanted.mails.keys() - Seen(mails=mails).mails_of(wanted).keys()
    messages = dict(await stores.statuses("notifier", missing))
    return Seen(before.rows | rows, {}, mails, messages)


async def _poll(wanted: ExpectedRun, stores: Stores, inbox: Inbox) -> Seen:
    """Read everything, including the histories."""
    applied = {
        (service, key): count
        for service in sorted({row.service for row in wanted.rows})
        for key, count in (await stores.applied(service, _keys(wanted.rows, service))).items()
    }
    messages = dict(await stores.statuses("notifier", wanted.mails))
    return Seen(await _rows(wanted.rows, stores), applied, await _mails(wanted, inbox), messages)


async def _rows(wanted: Collection[Row], stores: Stores) -> Counter[Row]:
    found: Counter[Row] = Counter()
    for service in HISTORY:
        keys = _keys(wanted, service)
        if keys:
            found.update(Row(service, *row) for row in await stores.statuses(service, keys))
    return found


async def _mails(wanted: ExpectedRun, inbox: Inbox) -> tuple[ReceivedMail, ...]:
    """Return the mails to the run's own readers; other runs may use the same inbox."""
    return tuple(mail for mail in await inbox.mails() if mail.recipient in wanted.readers)


def _keys(rows: Collection[Row], service: str) -> list[str]:
    return [row.key for row in rows if row.service == service]
