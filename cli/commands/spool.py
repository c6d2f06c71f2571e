"""`hookstream spool`: webhooks on the gateway's disk that wait for Kafka."""

import typer

from local.messages import Trouble, say

app = typer.Typer(help="Webhooks on the gateway's disk, while Kafka is away.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Typer makes a group only of what has more than one command, or this."""


@app.command()
def status() -> None:
    """Show how many webhooks wait in the spool, and how full it is."""
    from cli.clients import management

    said = management.get("gateway", "/spool")
    if not said["configured"]:
        say("no spool: without SPOOL_DIR webhooks are answered 503 while Kafka is away")
    else:
        say(f"{said['records']} webhooks wait, {said['bytes']} bytes of {said['maxBytes']}")
        if said.get("refused"):
            raise Trouble(f"The spool's disk refuses writes: {said['refused']}. Make room before Kafka goes away.")
