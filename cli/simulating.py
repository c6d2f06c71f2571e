"""`hookstream simulate`: senders are played against the running system, and what came of it is judged."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import environment
from local.telling import Trouble, say

if TYPE_CHECKING:
    from simulator.plan import Plan
    from simulator.verdict import Verdict

NEEDED = (
    "GATEWAY_URL",
    "INBOX_URL",
    "WEBHOOK_SECRET",
    *(f"{store}_DATABASE_URL" for store in ("PAYMENT", "SHIPPING", "REFUND", "NOTIFIER")),
)
SHOWN = 20
FEW = 3


def simulate(
    *,
    orders: Annotated[int, typer.Option(min=1, help="How many orders; each is four webhooks.")] = 1,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Webhooks a second; else as fast as they are answered.")
    ] = None,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="The share of webhooks that is sent twice.")] = 0.0,
    disorder: Annotated[bool, typer.Option("--disorder", help="Each order's webhooks come in any order.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed makes another disorder.")] = 0,
    locale: Annotated[Literal["ko", "en", "both"], typer.Option(help="The customers' language.")] = "both",
) -> None:
    """Play orders' lives (ordered, paid, delivered, refunded); exit code 1 when anything is lost or double."""
    from simulator.plan import Plan
    from simulator.story import LOCALES

    env = environment.read()
    run, now = _run_of_now()
    locales = LOCALES if locale == "both" else (locale,)
    plan = Plan(run, now, orders, rate, duplicates, disorder, seed, locales)
    environment.need(env, *NEEDED)
    say(f"run {run}: orders SIM-{run}-1 to SIM-{run}-{orders}, to {env['GATEWAY_URL']}")
    raise typer.Exit(_play(env, plan))


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
