"""One audit: the evidence is taken, judged, and taken again while something is still under way."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parseaddr

import aiohttp

from auditor import keeping, mailing, stores, tracing
from auditor.evidence import Accepted, Claim, Evidence, Period
from auditor.log import Log
from auditor.tracing import Trace
from simulator.inbox import whole_inbox
from stream.events import topics

PAUSE_S = 1.0


def judge(evidence: Evidence) -> list[Claim]:
    """Every claim, in the order of a webhook's way. Pure."""
    trace = Trace(evidence)
    return [claim(trace) for claim in (*tracing.CLAIMS, *keeping.CLAIMS, *mailing.CLAIMS)]


def audit(
    env: Mapping[str, str],
    accepted: Sequence[Accepted] | None,
    *,
    period: Period = Period(),  # noqa: B008 - frozen
    patience_s: float = 30.0,
    on_look: Callable[[list[Claim]], None] = lambda _: None,
) -> list[Claim]:
    """The verdict on the system that `env` names, once nothing is under way any more or the patience is over.

    Raises Unreachable, psycopg.Error or aiohttp.ClientError when something cannot be looked into.
    """
    until = time.monotonic() + patience_s
    log = Log(env)
    try:
        while True:
            claims = judge(take(env, log, accepted, period))
            on_look(claims)
            if time.monotonic() > until or not any(claim.unfinished or claim.wrong for claim in claims):
                return claims
            time.sleep(PAUSE_S)
    finally:
        log.close()


def take(env: Mapping[str, str], log: Log, accepted: Sequence[Accepted] | None, period: Period) -> Evidence:
    """The evidence of this moment: offsets, stores, topics, mails, in this order, as one follows from the other."""
    committed = {service: log.committed(service) for service in topics.SERVICES}
    return Evidence(
        committed,
        {service: stores.read(env, service) for service in topics.SERVICES},
        log.read(),
        asyncio.run(_mails(env)) if env.get("INBOX_URL") else None,
        None if accepted is None else tuple(accepted),
        period,
        operator=bool(env.get("OPERATOR_EMAIL")),
    )


async def _mails(env: Mapping[str, str]) -> Counter[str]:
    """Count how often each mail of ours arrived, by its notification's id."""
    domain = parseaddr(env["MAIL_FROM"])[1].rpartition("@")[2]
    async with aiohttp.ClientSession() as session:
        mails = await (await whole_inbox(session, env["INBOX_URL"])).mails()
    return Counter(mail.message_id.split("@")[0] for mail in mails if mail.message_id.endswith(f"@{domain}"))
