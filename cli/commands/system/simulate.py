"""`hookstream simulate`: plays senders against the running system and checks rows and mails."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import environment
from local.messages import CommandError, say
from runtime.plain_text import counted
from simulator import defaults

if TYPE_CHECKING:
    from simulator.plan import Plan
    from simulator.verdict import Verdict

MAX_LISTED = 20
MAX_MAILS = 3
"""Mails are listed one by one only if there are at most this many."""


def simulate(
    *,
    provider: Annotated[
        str,
        typer.Option(help="The sender: generic (contract A), toss, stripe_dispute …; an unknown name lists all."),
    ] = defaults.PROVIDER,
    orders: Annotated[int, typer.Option(min=1, help="Number of orders; each is a few webhooks.")] = defaults.ORDERS,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Webhooks a second. Default: as fast as they are answered.")
    ] = None,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Share of webhooks to send twice.")
    ] = defaults.DUPLICATES,
    disorder: Annotated[bool, typer.Option("--disorder", help="Send each order's webhooks in random order.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the random order and the duplicates.")] = defaults.SEED,
    locale: Annotated[Literal["ko", "en", "both"], typer.Option(help="The customers' language.")] = "both",
) -> None:
    """Post the webhooks of simulated orders, and check their rows and mails.

    The exit code is 1 when a row or mail is missing or double, or a webhook was not accepted. A mail of which the
    notifier does not know whether it was sent leaves it 0.
    """
    from simulator.order import LOCALES
    from simulator.plan import Plan

    env = environment.read()
    run, now = _new_run()
    locales = LOCALES if locale == "both" else (locale,)
    _check_provider(provider)
    plan = Plan(run, now, orders, rate, duplicates, disorder, seed, locales, provider)
    environment.require(env, *_required_settings(plan))
    say(f"run {run}: orders SIM-{run}-1 to SIM-{run}-{orders}, to {env['GATEWAY_URL']}")
    raise typer.Exit(_play(env, plan))


def _check_provider(provider: str) -> None:
    """Raise CommandError, which lists the known names, for a provider that cannot be simulated."""
    from simulator.stories import STORIES

    if provider not in STORIES:
        raise CommandError(f"{provider} cannot be simulated. Use one of {', '.join(sorted(STORIES))}.")


def _required_settings(plan: "Plan") -> set[str]:
    """Return the settings needed to post the plan's webhooks and to read stores and inbox."""
    from simulator.plan import lives
    from simulator.sender import provider_of

    (life,) = lives(replace(plan, orders=1))
    stores = {row.service for webhook in life.webhooks for row in webhook.rows} | {"notifier"}
    secrets = {provider_of(webhook).secret_setting for webhook in life.webhooks}
    apis = {"APIS_URL" for webhook in life.webhooks if webhook.api is not None}
    return {"GATEWAY_URL", "INBOX_URL", *secrets, *apis, *(f"{store.upper()}_DATABASE_URL" for store in stores)}


def play_one_life(env: Mapping[str, str]) -> int:
    """Play one order on the running system and print the result.

    Return the exit code: 1 when a row or mail is missing or double, a webhook was not accepted, or the order cannot be
    played. A CommandError is printed, not raised.
    """
    from simulator.plan import Plan

    try:
        return _play(env, Plan(*_new_run()), linger_s=0.3)
    except CommandError as error:
        say(f"The demo order could not be played: {error}")
        return 1


def _play(env: Mapping[str, str], plan: "Plan", linger_s: float = 1.0) -> int:
    import aiohttp
    import psycopg

    from simulator.play import play
    from simulator.watch import WaitLimits

    try:
        verdict = asyncio.run(play(env, plan, WaitLimits(linger_s=linger_s)))
    except (OSError, aiohttp.ClientError, psycopg.Error) as failure:
        raise CommandError(f"The run cannot be checked: {type(failure).__name__}: {failure}".strip()) from failure
    _print_verdict(verdict, env)
    return 0 if verdict.good else 1


def _print_verdict(verdict: "Verdict", env: Mapping[str, str]) -> None:
    wrong = (*verdict.not_accepted, *verdict.lost, *verdict.double, *verdict.unknown)
    for line in wrong[:MAX_LISTED]:
        say(f"  {line}")
    if len(wrong) > MAX_LISTED:
        say(f"  and {len(wrong) - MAX_LISTED} more")
    if len(verdict.mails) <= MAX_MAILS:
        for mail in verdict.mails:
            say(f"  mail to {mail.recipient}: {mail.subject}")
    answers = ", ".join(f"{answer} {counted(count, 'time')}" for answer, count in sorted(verdict.answers.items()))
    say(f"answers: {answers}")
    say(str(verdict))
    say(f"read the mails at {env['INBOX_URL']}")


def _new_run() -> tuple[str, datetime]:
    """Return a name for this run (the last 8 hex digits of the time in milliseconds), and the time."""
    now = datetime.now(UTC)  # noqa: TID251 - a run's time is read here and passed on
    return f"{int(now.timestamp() * 1000):x}"[-8:], now
