"""`hookstream run` and `stop`: the whole system on this machine."""

from importlib import import_module
from threading import Thread
from typing import Annotated

import typer

from cli.commands import simulate
from cli.environment import ROOT


def run(
    *,
    demo: Annotated[
        bool, typer.Option("--demo/--no-demo", envvar="DEMO", help="Then play one order's life through it.")
    ] = True,
    registry: Annotated[
        bool, typer.Option("--registry/--no-registry", envvar="REGISTRY", help="Start a schema registry too.")
    ] = False,
) -> None:
    """Start everything, and keep it running until Ctrl-C."""
    from local import stack

    if demo:  # what it imports is read while Kafka starts
        Thread(target=import_module, args=("simulator.play",), daemon=True).start()
    on_ready = simulate.play_one_life if demo else lambda _env: 0
    raise typer.Exit(stack.run(ROOT, registry=registry, on_ready=on_ready))


def stop() -> None:
    """Stop what runs here, also what a killed run left behind."""
    from local import stack

    raise typer.Exit(stack.stop(ROOT))
