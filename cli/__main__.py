"""Entry point of `hookstream`. Each command imports its modules when it runs, which keeps the start fast."""

import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Annotated

import typer

from cli import environment, output
from cli.commands.kafka import schemas, topics
from cli.commands.log import lookup, order, refusals, tail
from cli.commands.operations import mail, pause, quarantine, replay, spool
from cli.commands.system import migrate, simulate, status, verify
from cli.commands.system import run as running
from cli.dead import commands as dead
from cli.dead import retry
from cli.doctor import command as doctor
from cli.evidence import command as evidence
from cli.mcp_server import command as mcp_server
from local.messages import CommandError, print_error, say
from runtime import __version__
from runtime.confidential.wrong_setting import UnreadableSetting, WrongSetting
from runtime.plain_text import plain

NAME = "hookstream"
COMPLETING = "_HOOKSTREAM_COMPLETE"
"""The variable that a shell sets to ask for completions; `main` inherits no topic settings then."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(*, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """Receive webhooks, apply each exactly once, and mail the people concerned."""
    if version:
        say(f"hookstream {__version__}")
        raise typer.Exit


app.command()(running.run)
app.command()(running.stop)
app.command()(simulate.simulate)
app.command()(status.status)
app.command()(verify.verify)
app.command()(doctor.doctor)
app.command()(evidence.evidence)
app.command()(mcp_server.mcp)
app.command()(tail.tail)
app.command()(lookup.stats)
app.command()(lookup.webhook)
app.command()(order.order)
app.command()(lookup.why)
app.command()(migrate.migrate)
app.command()(retry.retry)
app.command()(pause.pause)
app.command()(pause.resume)
app.add_typer(dead.app, name="dead")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(refusals.app, name="refusals")
app.add_typer(spool.app, name="spool")
app.command(context_settings=replay.PASSED_ON)(replay.replay)
app.command()(replay.rebuild)
app.command()(replay.history)
app.add_typer(mail.app, name="mail")
app.add_typer(topics.app, name="topics")
app.add_typer(schemas.app, name="schemas")


def main() -> None:
    """Run the command that `sys.argv` names, then exit.

    A CommandError and the errors of a wrong setting are printed to standard error without a traceback, and the exit
    code is 1.
    """
    sys.excepthook = _show_failure
    if COMPLETING not in os.environ:
        environment.inherit_topic_settings()
    output.escape_unencodable()
    try:
        _check_arguments(sys.argv[1:])
        app(prog_name=NAME)
    except (CommandError, WrongSetting, UnreadableSetting) as error:
        print_error(error)
        sys.exit(1)


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise CommandError for an argument that is empty or not UTF-8, which Python represents with lone surrogates.

    An empty value is a slip, such as an unset variable of a shell. No command takes it for "all".
    """
    for position, argument in enumerate(arguments):
        option = argument.removesuffix("=") if argument.startswith("--") and argument.endswith("=") else None
        if not argument.strip() and position and arguments[position - 1].startswith("--"):
            option = arguments[position - 1]
        if option:
            raise CommandError(f"The value of {option} is empty. Give it a value, or leave the option out.")
        if not argument.strip():
            raise CommandError("An argument is empty.")
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise CommandError(f"The argument {argument!a} is not valid UTF-8.")


def _show_failure(kind: type[BaseException], failure: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a bug as plain text: its message may contain a sender's control characters."""
    sys.stderr.write(plain("".join(traceback.format_exception(kind, failure, trace))))


if __name__ == "__main__":
    main()
