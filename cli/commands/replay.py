"""`hookstream replay`, `rebuild` and `history`: a service's own verbs, started here with that service's environment."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from cli import environment
from cli.environment import ROOT
from local import services
from local.messages import Trouble, say
from local.paths import Paths
from local.services import SERVICES, Service
from stream.events import topics

VERBS = ("diff", "promote", "rollback", "drop")
STORES = {service.name: service for service in SERVICES if service.store}
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}


def replay(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="SERVICE --into NAME | VERB SERVICE …")],
) -> None:
    """Rebuild a store from the topics beside the live one, compare it, and put it in the live one's place.

    replay SERVICE --into NAME [--to TIME] [--orders A,B] [--retranslate] [--announce], then replay diff SERVICE NAME,
    replay promote SERVICE NAME, replay rollback SERVICE, replay drop SERVICE NAME.
    """
    said = [*words, *context.args]
    verb = [said.pop(0)] if said[0] in VERBS else []
    if not said:
        raise Trouble(f"Say of which service: {', '.join(STORES)}.")
    raise typer.Exit(_ask(said[0], ["replay", *verb, *said[1:]]))


def rebuild(
    service: Annotated[str, typer.Argument(help="Such as payment.")],
    *,
    announce: Annotated[bool, typer.Option("--announce", help="Publish the facts that nobody was told.")] = False,
) -> None:
    """Bring back a store that was lost (dropped, empty); nobody is mailed, and nothing is announced twice."""
    raise typer.Exit(_ask(service, ["rebuild", *(["--announce"] if announce else [])]))


def history(
    order: Annotated[str, typer.Argument(metavar="ORDER")],
    at: Annotated[str | None, typer.Option(help="As it was then, such as 2026-02-03T12:00+09:00.")] = None,
) -> None:
    """Show what each service makes of an order by the topics alone, up to a time."""
    _check_time(at)
    codes = []
    for service in topics.PROCESSORS:
        say(f"{service}:")
        codes.append(_ask(service, ["history", order, *(["--at", at] if at else [])]))
    raise typer.Exit(max(codes))


def _check_time(at: str | None) -> None:
    try:
        if at is not None:
            datetime.fromisoformat(at)
    except ValueError as unclear:
        raise Trouble(f"--at: {at} is no time, such as 2026-02-03T12:00+09:00.") from unclear


def _ask(name: str, words: Sequence[str]) -> int:
    """The exit code of a service's own verb."""
    if name not in STORES:
        raise Trouble(f"There is no store of {name}; there are {', '.join(STORES)}.")
    env = environment.read()
    environment.need(env, "KAFKA_BOOTSTRAP_SERVERS", STORES[name].variable("DATABASE_URL"))
    sys.stdout.flush()
    return subprocess.run(
        [sys.executable, "-m", STORES[name].module, *words], cwd=ROOT, env=_environment(STORES[name], env), check=False
    ).returncode


def _environment(service: Service, env: Mapping[str, str]) -> dict[str, str]:
    """What the service itself is given; where only its address is known, that and what we have."""
    if service.variable("MANAGEMENT_URL") in env:
        return dict(services.program(service, Paths(ROOT, ROOT / ".run"), env).env)
    return {**os.environ, **env, "DATABASE_URL": env[service.variable("DATABASE_URL")]}
