"""`hookstream run` and `stop`: start and stop the whole system on this machine."""

from importlib import import_module
from threading import Thread
from typing import Annotated

import typer

from cli.commands.system import simulate
from cli.environment import ROOT


def run(
    *,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", envvar="DEMO", help="Play one order through it once it is ready.")
    ] = True,
    registry: Annotated[
        bool, typer.Option("--registry/--no-registry", envvar="REGISTRY", help="Start a schema registry as well.")
    ] = False,
) -> None:
    """Start Kafka, Postgres, an inbox and all services, and keep them running until Ctrl-C."""
    from local import stack

    if demo:  # import its modules while Kafka starts
        Thread(target=import_module, args=("simulator.play",), daemon=True).start()
    on_ready = simulate.play_one_life if demo else lambda _env: 0
    raise typer.Exit(stack.run(ROOT, registry=registry, on_ready=on_ready))


def stop() -> None:
    """Stop the system that runs here, and processes that a killed run left behind."""
    from local import stack

    raise typer.Exit(stack.stop(ROOT))
