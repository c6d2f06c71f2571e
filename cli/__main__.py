"""`hookstream`: each command imports what it needs when it runs, so that none waits for the others."""

import sys
import traceback
from types import TracebackType
from typing import Annotated

import typer

from cli import environment
from cli.commands import lookup, mail, migrate, quarantine, replay, schemas, simulate, spool, status, topics, verify
from cli.commands import run as running
from cli.dead import commands as dead
from cli.dead import retry
from local.messages import Trouble, complain, say
from runtime import __version__
from runtime.plain_text import plain

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(*, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """Webhooks in, rows changed, people told: each exactly once in effect."""
    if version:
        say(f"hookstream {__version__}")
        raise typer.Exit


app.command()(running.run)
app.command()(running.stop)
app.command()(simulate.simulate)
app.command()(status.status)
app.command()(verify.verify)
app.command()(lookup.stats)
app.command()(lookup.webhook)
app.command()(lookup.order)
app.command()(migrate.migrate)
app.command()(retry.retry)
app.add_typer(dead.app, name="dead")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(spool.app, name="spool")
app.command(context_settings=replay.PASSED_ON)(replay.replay)
app.command()(replay.rebuild)
app.command()(replay.history)
app.add_typer(mail.app, name="mail")
app.add_typer(topics.app, name="topics")
app.add_typer(schemas.app, name="schemas")


def main() -> None:
    """Run the command; a trouble that a person can put right is a sentence, and exit code 1."""
    sys.excepthook = _show_failure
    environment.adopt_topic_settings()
    try:
        app()
    except Trouble as trouble:
        complain(trouble)
        sys.exit(1)


def _show_failure(kind: type[BaseException], failure: BaseException, trace: TracebackType | None) -> None:
    """A bug of ours; its message may hold what strangers posted."""
    sys.stderr.write(plain("".join(traceback.format_exception(kind, failure, trace))))


if __name__ == "__main__":
    main()
