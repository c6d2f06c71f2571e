"""`hookstream simulate`: senders are played against the running system, and what came of it is judged."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import environment
from local.messages import Trouble, say

if TYPE_CHECKING:
    from simulator.plan import Plan
    from simulator.verdict import Verdict

SHOWN = 20
FEW = 3


def simulate(
    *,
    provider: Annotated[
        str,
        typer.Option(
            help="Whose webhooks tell it: generic (contract A), toss, stripe_dispute …; a wrong name lists all."
        ),
    ] = "generic",
    orders: Annotated[int, typer.Option(min=1, help="How many orders; each is a few webhooks.")] = 1,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Webhooks a second; else as fast as they are answered.")
    ] = None,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="The share of webhooks that is sent twice.")] = 0.0,
    disorder: Annotated[bool, typer.Option("--disorder", help="Each order's webhooks come in any order.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed makes another disorder.")] = 0,
    locale: Annotated[Literal["ko", "en", "both"], typer.Option(help="The customers' language.")] = "both",
) -> None:
    """Play orders' lives as a provider tells them; exit code 1 when anything is lost or double."""
    from simulator.plan import Plan
    from simulator.story import LOCALES

    env = environment.read()
    run, now = _run_of_now()
    locales = LOCALES if locale == "both" else (locale,)
    _check(provider)
    plan = Plan(run, now, orders, rate, duplicates, disorder, seed, locales, provider)
    environment.need(env, *_needed(plan))
    say(f"run {run}: orders SIM-{run}-1 to SIM-{run}-{orders}, to {env['GATEWAY_URL']}")
    raise typer.Exit(_play(env, plan))


def _check(provider: str) -> None:
    """Raises Trouble for a provider of which there is nothing to tell here."""
    from simulator.stories import STORIES

    if provider not in STORIES:
        raise Trouble(f"There is no story of {provider}; there are {', '.join(sorted(STORIES))}.")


def _needed(plan: "Plan") -> set[str]:
    """What must be known to post the plan's webhooks and to judge what came of them."""
    from simulator.plan import lives
    from simulator.sender import provider_of

    (life,) = lives(replace(plan, orders=1))
    stores = {row.service for webhook in life.webhooks for row in webhook.rows} | {"notifier"}
    secrets = {provider_of(webhook).secret_setting for webhook in life.webhooks}
    apis = {"APIS_URL" for webhook in life.webhooks if webhook.api is not None}
    return {"GATEWAY_URL", "INBOX_URL", *secrets, *apis, *(f"{store.upper()}_DATABASE_URL" for store in stores)}


def play_one_life(env: Mapping[str, str]) -> int:
    """What a newcomer sees first; the exit code it earns."""
    from simulator.plan import Plan

    try:
        return _play(env, Plan(*_run_of_now()), linger_s=0.3)
    except Trouble as trouble:
        say(f"The order's life could not be played: {trouble}")
        return 1


def _play(env: Mapping[str, str], plan: "Plan", linger_s: float = 1.0) -> int:
    import aiohttp
    import psycopg

    from simulator.play import play
    from simulator.watch import Patience

    try:
        verdict = asyncio.run(play(env, plan, Patience(linger_s=linger_s)))
    except (OSError, aiohttp.ClientError, psycopg.Error) as failure:
        raise Trouble(f"The run cannot be judged: {type(failure).__name__}: {failure}".strip()) from failure
    _tell(verdict, env)
    return 0 if verdict.good else 1


def _tell(verdict: "Verdict", env: Mapping[str, str]) -> None:
    wrong = (*verdict.not_accepted, *verdict.lost, *verdict.double, *verdict.unknown)
    for line in wrong[:SHOWN]:
        say(f"  {line}")
    if len(wrong) > SHOWN:
        say(f"  and {len(wrong) - SHOWN} more")
    if len(verdict.mails) <= FEW:
        for mail in verdict.mails:
            say(f"  mail to {mail.recipient}: {mail.subject}")
    answers = ", ".join(f"{answer} {count} times" for answer, count in sorted(verdict.answers.items()))
    say(f"answers: {answers}")
    say(str(verdict))
    say(f"read the mails at {env['INBOX_URL']}")


def _run_of_now() -> tuple[str, datetime]:
    """A short token that no other run has, and the time."""
    now = datetime.now(UTC)  # noqa: TID251 - the command line is where a run's time comes from
    return f"{int(now.timestamp() * 1000):x}"[-8:], now
