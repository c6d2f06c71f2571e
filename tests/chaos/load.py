"""The load of a chaos test: waves of orders of several providers, posted until the load is stopped."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from threading import Event, Thread
from zlib import crc32

import aiohttp

from auditor.evidence import Accepted
from runtime.timing.rate_limiter import RateLimiter
from simulator import verdict, watch
from simulator.inbox import whole_inbox
from simulator.plan import Life, Plan, lives
from simulator.sender import Tally, WebhookSender
from simulator.stores import Stores
from simulator.verdict import Verdict
from simulator.watch import WaitLimits
from stream.events import OrderId

PROVIDERS = ("generic", "toss", "tosspayments", "kakaopay", "tapayz", "easypost")
"""Providers whose signatures have no time: a gateway whose clock is wrong would rightly refuse the others."""
ORDERS = 4
"""The number of orders of each provider in each wave."""
DUPLICATES = 0.2


@dataclass
class Load:
    """Posts webhooks to the gateway in `env` at `rate` a second, in a thread of its own, from `start` to `stop`."""

    env: Mapping[str, str]
    seed: int
    rate: float
    posted: list[Life] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    _over: Event = field(default_factory=Event)

    def start(self) -> None:
        self._thread = Thread(target=lambda: asyncio.run(self._send()), name="load")
        self._thread.start()

    def stop(self) -> None:
        """Post no further wave, and wait until all webhooks posted were accepted or given up."""
        self._over.set()
        self._thread.join()

    def accepted(self) -> list[Accepted]:
        """Return the webhooks that were answered 2xx, for the auditor."""
        paid = {
            (life.order.order_id, row.key): life.order.amount
            for life in self.posted
            for webhook in life.webhooks
            for row in webhook.rows
            if row.service == "payment"
        }
        listed = []
        for webhook in self.tally.accepted:
            keys = [row.key for row in webhook.rows if row.service == "payment"]
            order_id = keys[0] if keys else webhook.order_id
            amount = paid[webhook.order_id, order_id] if keys else None
            listed.append(Accepted(webhook.path, sha256(webhook.body).hexdigest(), OrderId(order_id), amount))
        return listed

    def judge(self, limits: WaitLimits) -> Verdict:
        """Wait for the rows and mails that the accepted webhooks must make, and return the simulator's verdict."""
        return asyncio.run(self._judge(limits))

    async def _send(self) -> None:
        async with aiohttp.ClientSession() as session:
            for wave in count():
                if self._over.is_set():
                    return
                plans = [self._plan(wave, provider) for provider in PROVIDERS]
                posted = [life for plan in plans for life in lives(plan)]
                self.posted += posted
                self._add(
                    await WebhookSender(session, self.env, lambda: None).play(tuple(posted), RateLimiter(self.rate))
                )

    def _plan(self, wave: int, provider: str) -> Plan:
        now = datetime.now(UTC)
        run = f"{self.seed:x}{provider}{wave:04}"
        seed = crc32(run.encode())
        return Plan(run, now, ORDERS, None, DUPLICATES, disorder=True, seed=seed, provider=provider)

    def _add(self, tally: Tally) -> None:
        self.tally.accepted |= tally.accepted
        self.tally.duplicates += tally.duplicates
        self.tally.refused |= tally.refused
        self.tally.answers += Counter(tally.answers)

    async def _judge(self, limits: WaitLimits) -> Verdict:
        wanted = verdict.expected(self.posted, self.tally.accepted)
        async with aiohttp.ClientSession() as session, Stores(self.env) as stores:
            inbox = await whole_inbox(session, self.env["INBOX_URL"])
            seen = await watch.settled(wanted, stores, inbox, limits, lambda _: None)
        return verdict.judge(wanted, seen, self.tally)
