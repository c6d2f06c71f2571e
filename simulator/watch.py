"""Looks at the stores and the inbox until everything is there, or nothing has moved for long enough."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial

import aiohttp
import psycopg

from simulator.inbox import Inbox, Mail
from simulator.stores import HISTORY, Stores
from simulator.story import Row
from simulator.verdict import Expected, Seen

AWAY_S = 60.0
REST = 3
"""Looking may take a quarter of the time, for it costs those who work."""


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """`quiet_s` without any change ends the waiting, unless the notifier still has a mail in hand; `longest_s` always.

    `linger_s` is what a second mail or row is given to show up once everything is there.
    """

    quiet_s: float = 30.0
    longest_s: float = 1800.0
    linger_s: float = 1.0
    every_s: float = 0.25


async def settled(
    wanted: Expected, stores: Stores, inbox: Inbox, patience: WaitLimits, on_look: Callable[[Seen], None]
) -> Seen:
    """What is there when it has come to rest."""
    seen = Seen()
    began = moved = time.monotonic()
    while not _is_over(wanted, seen, patience, (began, moved)):
        looked = time.monotonic()
        before, seen = seen, await _persevere(partial(_look_for_missing, wanted, seen, stores, inbox))
        on_look(seen)
        now = time.monotonic()
        moved = now if seen != before else moved
        await asyncio.sleep(max(patience.every_s, REST * (now - looked)))
    await asyncio.sleep(patience.linger_s)
    return await _persevere(partial(_look, wanted, stores, inbox))


async def _persevere(look: Callable[[], Awaitable[Seen]]) -> Seen:
    """A store or inbox may be away for a while: that is what some trials are about."""
    until = time.monotonic() + AWAY_S
    while True:
        try:
            return await look()
        except (psycopg.OperationalError, aiohttp.ClientError, TimeoutError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.3)


def _is_over(wanted: Expected, seen: Seen, patience: WaitLimits, times: tuple[float, float]) -> bool:
    began, moved = times
    now = time.monotonic()
    quiet = now - moved > patience.quiet_s and not seen.is_unfinished()
    return seen.is_complete(wanted) or quiet or now - began > patience.longest_s


async def _look_for_missing(wanted: Expected, before: Seen, stores: Stores, inbox: Inbox) -> Seen:
    """Asks only for what was not there the last time."""
    rows = await _rows(wanted.rows - before.rows.keys(), stores)
    mails = await _mails(wanted, inbox)
    missing = wanted.mails.keys() - Seen(mails=mails).mails_of(wanted).keys()
    messages = dict(await stores.statuses("notifier", missing))
    return Seen(before.rows | rows, {}, mails, messages)


async def _look(wanted: Expected, stores: Stores, inbox: Inbox) -> Seen:
    """At all of it, also at the histories."""
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


async def _mails(wanted: Expected, inbox: Inbox) -> tuple[Mail, ...]:
    """Only those to readers of ours: others may be busy here too."""
    return tuple(mail for mail in await inbox.mails() if mail.recipient in wanted.readers)


def _keys(rows: Collection[Row], service: str) -> list[str]:
    return [row.key for row in rows if row.service == service]
