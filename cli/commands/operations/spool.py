"""`hookstream spool`: shows the webhooks on the gateway's disk that wait for Kafka."""

import typer

from cli import output
from cli.output import Json
from local.messages import CommandError, say
from runtime.plain_text import counted

app = typer.Typer(help="Webhooks that the gateway stored on disk while Kafka was unavailable.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Typer makes a group of a single command only when there is a callback."""


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show how many webhooks are in the spool, and how full it is.

    The exit code is 1 when its disk refuses writes; it is 0 without a spool.
    """
    from cli.clients import management

    state = management.get("gateway", "/spool")
    if as_json:
        output.say_json(state)
    elif not state["configured"]:
        say("no spool: without SPOOL_DIR the gateway answers 503 while Kafka is unavailable")
    else:
        waiting = counted(state["records"], "webhook waits", "webhooks wait")
        say(f"{waiting}, {state['bytes']} bytes of {state['maxBytes']}")
    if state.get("refused"):
        raise CommandError(
            f"The spool's disk refuses writes: {state['refused']}. Make room: the spool is needed when Kafka fails."
        )
