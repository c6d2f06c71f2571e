"""One audit: collect the evidence, check the claims, and repeat both while anything is wrong or unfinished."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parseaddr

import aiohttp

from auditor import amount_claims, mail_claims, record_claims, store_claims, stores
from auditor.evidence import Accepted, AuditEvidence, Claim, Period
from auditor.log import TopicLog
from auditor.record_claims import Trace
from simulator.inbox import whole_inbox
from stream.events import topics

PAUSE_S = 1.0


def judge(evidence: AuditEvidence) -> list[Claim]:
    """Check every claim, in the order of a webhook's way through the system. Pure.

    Raises KeyError if the evidence has no store of the notifier.
    """
    trace = Trace(evidence)
    claims = (*record_claims.CLAIMS, *store_claims.CLAIMS, *amount_claims.CLAIMS, *mail_claims.CLAIMS)
    return [claim(trace) for claim in claims]


def audit(
    env: Mapping[str, str],
    accepted: Sequence[Accepted] | None,
    *,
    period: Period = Period(),  # noqa: B008 - frozen
    timeout_s: float = 30.0,
    on_round: Callable[[list[Claim]], None] = lambda _: None,
) -> list[Claim]:
    """Return the claims about the system in `env`, once nothing is wrong or unfinished, or `timeout_s` is over.

    The claims of each round are passed to `on_round`. Without `accepted`, the webhooks that were answered 2xx, LOST is
    not checked. Raises Unreachable, psycopg.Error, aiohttp.ClientError or OSError (RegistryError, TimeoutError) when
    Kafka, a store, the inbox or the schema registry cannot be read, and ValueError when a setting of Kafka or the
    registry is wrong.
    """
    until = time.monotonic() + timeout_s
    log = TopicLog(env)
    while True:
        claims = judge(collect(env, log, accepted, period))
        on_round(claims)
        if time.monotonic() > until or not any(claim.unfinished or claim.wrong for claim in claims):
            return claims
        time.sleep(PAUSE_S)


def collect(
    env: Mapping[str, str], log: TopicLog, accepted: Sequence[Accepted] | None, period: Period
) -> AuditEvidence:
    """Collect offsets, stores, topics and mails, in this order: what one of them shows is then visible in the next.

    Raises the errors of `audit`, except those of settings.
    """
    services = [service.name for service in topics.SERVICES]
    committed = {service: log.committed(service) for service in services}
    return AuditEvidence(
        committed,
        {service: stores.read(env, service) for service in services},
        log.read(),
        asyncio.run(_mails(env)) if env.get("INBOX_URL") else None,
        None if accepted is None else tuple(accepted),
        period,
        operator=bool(env.get("OPERATOR_EMAIL")),
        orders="required" if env.get("ORDERS") == "required" else "optional",
    )


async def _mails(env: Mapping[str, str]) -> Counter[str]:
    """Count how often each of the system's mails arrived, by notification id."""
    domain = parseaddr(env["MAIL_FROM"])[1].rpartition("@")[2]
    async with aiohttp.ClientSession() as session:
        mails = await (await whole_inbox(session, env["INBOX_URL"])).mails()
    return Counter(mail.message_id.split("@")[0] for mail in mails if mail.message_id.endswith(f"@{domain}"))
