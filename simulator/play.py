"""One run from the first webhook to the verdict."""

from collections.abc import Mapping

import aiohttp

from simulator import verdict, watch
from simulator.inbox import open_inbox
from simulator.plan import Plan, lives
from simulator.progress import bars
from simulator.sender import Pacer, Sender
from simulator.stores import Stores
from simulator.verdict import Verdict
from simulator.watch import WaitLimits


async def play(env: Mapping[str, str], plan: Plan, patience: WaitLimits | None = None) -> Verdict:
    """Post the plan's webhooks to the gateway that `env` names, then judge by the stores and the inbox it names."""
    told = lives(plan)
    posts = sum(len(step) for life in told for step in life.steps)
    async with aiohttp.ClientSession() as session, Stores(env) as stores:
        inbox = await open_inbox(session, env["INBOX_URL"])
        with bars(posts) as progress:
            tally = await Sender(session, env, progress.sent_one).play(told, Pacer(plan.rate))
            wanted = verdict.expected(told, tally.accepted)
            seen = await watch.settled(
                wanted, stores, inbox, patience or WaitLimits(), lambda seen: progress.looked(wanted, seen)
            )
    return verdict.judge(wanted, seen, tally)
