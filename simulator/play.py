"""Plays one run, from the first webhook to the verdict."""

import math
from collections.abc import Mapping

import aiohttp

from runtime.timing.rate_limiter import RateLimiter
from simulator import verdict, watch
from simulator.inbox import open_inbox
from simulator.plan import Plan, lives
from simulator.progress import bars
from simulator.sender import WebhookSender
from simulator.stores import Stores
from simulator.verdict import Verdict
from simulator.watch import WaitLimits


async def play(env: Mapping[str, str], plan: Plan, limits: WaitLimits | None = None) -> Verdict:
    """Post the plan's webhooks to the gateway, wait for rows and mails, and return the verdict.

    `env` has the variables of `.run/env`. Without `limits`, the defaults of WaitLimits apply. Webhooks that the gateway
    does not accept are part of the verdict. Raises aiohttp.ClientError or TimeoutError if the inbox does not answer,
    psycopg.OperationalError if a store does not.
    """
    played = lives(plan)
    posts = sum(len(step) for life in played for step in life.steps)
    async with aiohttp.ClientSession() as session, Stores(env) as stores:
        inbox = await open_inbox(session, env["INBOX_URL"])
        with bars(posts) as progress:
            tally = await WebhookSender(session, env, progress.advance_sent).play(
                played, RateLimiter(plan.rate or math.inf)
            )
            wanted = verdict.expected(played, tally.accepted)
            seen = await watch.settled(
                wanted, stores, inbox, limits or WaitLimits(), lambda seen: progress.update(wanted, seen)
            )
    return verdict.judge(wanted, seen, tally)
