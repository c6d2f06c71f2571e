"""`hookstream refusals`: lists refused requests from the console's log, where they stay for 7 days."""

import json
from typing import Annotated

import typer

from cli import local_time, output
from cli.dead.options import WHEN
from cli.output import Json
from local.messages import say
from runtime.json_value import JsonValue

app = typer.Typer(help="Requests that the gateway refused, such as those with a wrong signature.", no_args_is_help=True)
EXCERPT_CHARS = 120


@app.callback()
def _group() -> None:
    """Typer makes a group of a single command only when there is a callback."""


@app.command("list")
def list_(
    order: Annotated[
        str | None, typer.Option(help="The order that the body names in its first 2 KB. A forged body names any order.")
    ] = None,
    cause: Annotated[str | None, typer.Option(help="One cause, such as invalid_signature or stale_timestamp.")] = None,
    provider: Annotated[str | None, typer.Option(help="One provider, such as toss. Default: all providers.")] = None,
    since: Annotated[str | None, typer.Option(help=f"Received at or after this time. {WHEN}")] = None,
    until: Annotated[
        str | None, typer.Option(help=f"Received before this time; a date includes its day. {WHEN}")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Requests to show, newest first.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="The `next` of an earlier list with --json.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List refused requests, newest first."""
    from cli.clients import console

    period = {"from": since, "to": until}
    page = console.fetch(
        "refusals", **period, order=order, cause=cause, provider=provider, limit=str(limit), cursor=cursor
    )
    refusals = page["refusals"]
    if as_json:
        return output.say_list("refusals", refusals, cursor=page["next"])
    if not refusals:
        return say("no refused request matches; those that are older than 7 days are no longer known")
    _show(refusals)
    if page["next"]:
        say(f"there are older ones: pass --cursor {page['next']}, or a higher --limit")
    return None


def _show(refusals: JsonValue) -> None:
    table = output.table("received", "provider", "cause", "orders", "path", "begins with")
    for refusal in refusals:
        received, orders = local_time.of_text(refusal["receivedAt"]), ", ".join(refusal["orderIds"])
        cells = (received, refusal["provider"], refusal["cause"], orders, refusal["path"])
        output.add(table, *cells, _excerpt(refusal["excerpt"]))
    output.show(table)


def _excerpt(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= EXCERPT_CHARS else f"{text[:EXCERPT_CHARS]}…"
