"""`hookstream replay`, `rebuild` and `history`: run a service's own commands with that service's environment."""

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
from local.messages import CommandError, say
from local.paths import Paths
from local.services import SERVICES, LocalService
from stream.events import topics

VERBS = ("diff", "promote", "rollback", "drop")
STORES = {service.name: service for service in SERVICES if service.store}
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
"""Settings of a command whose unknown options go to the service's own command line."""


def replay(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="SERVICE --into NAME | VERB SERVICE …")],
) -> None:
    """Rebuild a store from the topics into a second schema, compare it with the live one, and promote it.

    replay SERVICE --into NAME [--to TIME] [--orders A,B] [--retranslate] [--publish], then replay diff SERVICE NAME,
    replay promote SERVICE NAME, replay rollback SERVICE, replay drop SERVICE NAME.
    """
    arguments = [*words, *context.args]
    verb = [arguments.pop(0)] if arguments[0] in VERBS else []
    if not arguments:
        raise CommandError(f"Name the service: one of {', '.join(STORES)}.")
    raise typer.Exit(_run(arguments[0], ["replay", *verb, *arguments[1:]]))


def rebuild(
    service: Annotated[str, typer.Argument(help="The service, such as payment.")],
    *,
    publish: Annotated[bool, typer.Option("--publish", help="Publish events that were never published.")] = False,
) -> None:
    """Rebuild a store that was dropped or is empty, from the topics. It sends no mails and publishes no event twice.

    A store that has rows is refused. The service may run meanwhile: it waits.
    """
    raise typer.Exit(_run(service, ["rebuild", *(["--publish"] if publish else [])]))


def history(
    order: Annotated[str, typer.Argument(metavar="ORDER")],
    at: Annotated[str | None, typer.Option(help="State at this time, such as 2026-02-03T12:00+09:00.")] = None,
) -> None:
    """Show each processor's rows of an order, computed from the topics alone, as of now or of an earlier time.

    The exit code is 1 when no processor has a record of the order.
    """
    from stream.replay.cli import NO_RECORD

    _check_time(at)
    codes = []
    for service in topics.PROCESSORS:
        say(f"{service.name}:")
        codes.append(_run(service.name, ["history", order, *(["--at", at] if at else [])]))
    if all(code == NO_RECORD for code in codes):
        when = f" up to {at}" if at else ""
        raise CommandError(f"The topics have no order {order}{when}.")
    raise typer.Exit(max(code for code in codes if code != NO_RECORD))


def _check_time(at: str | None) -> None:
    try:
        if at is not None:
            datetime.fromisoformat(at)
    except ValueError as wrong:
        raise CommandError(f"--at: {at} is not a time such as 2026-02-03T12:00+09:00.") from wrong


def _run(name: str, words: Sequence[str]) -> int:
    """Run a command of a service's own command line and return its exit code.

    Raises CommandError when the service has no store, or its settings are not known.
    """
    if name not in STORES:
        raise CommandError(f"There is no store of {name}. Use one of {', '.join(STORES)}.")
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS", STORES[name].variable("DATABASE_URL"))
    sys.stdout.flush()
    return subprocess.run(
        [sys.executable, "-m", STORES[name].module, *words], cwd=ROOT, env=_environment(STORES[name], env), check=False
    ).returncode


def _environment(service: LocalService, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the service: those of the local stack, elsewhere ours with its database URL."""
    if service.variable("MANAGEMENT_URL") in env:
        return dict(services.program(service, Paths(ROOT, ROOT / ".run"), env).env)
    return {**os.environ, **env, "DATABASE_URL": env[service.variable("DATABASE_URL")]}
