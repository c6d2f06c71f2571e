"""`hookstream mail`: lists mails that were not sent, shows one, and resolves those whose delivery is unknown."""

from typing import Annotated

import typer

from cli import local_time, output
from cli.commands.log import order_advice
from cli.output import Json
from local.messages import CommandError, say, say_all
from runtime.json_value import JsonValue

app = typer.Typer(help="List, show and resolve mails.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="The mail id that `mail list` shows.")]
SHOWN = (
    "status event_type audience recipient order_id customer_id attempts error received_at created_at next_attempt_at"
    " sending_since sent_at resolved_at message_id event_id"
).split()


@app.command("list")
def list_(
    status: Annotated[
        str | None, typer.Option(help="One status, such as unknown. Default: failed, unknown, no_recipient and stale.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="All mails of this order that are not sent.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Mails to show, newest first.")] = 50,
    *,
    as_json: Json = False,
) -> None:
    """List mails that need a person; with --order or --status those of the order or the status."""
    from cli.clients import management

    response = management.get("notifier", "/mails", status=status, order=order, limit=limit)
    if as_json:
        note = f"there may be more: pass a --limit above {limit}" if len(response["mails"]) == limit else None
        return output.say_list("mails", response.pop("mails"), note=note, **response)
    table = output.table("id", "status", "event", "to the", "order", "since", "error")
    for mail in response["mails"]:
        about = mail["order_id"] or mail["customer_id"] or ""
        cells = (
            mail["id"],
            mail["status"],
            mail["event_type"],
            mail["audience"],
            about,
            local_time.of_text(mail["created_at"]),
        )
        output.add(table, *cells, mail["error"] or "")
    if response["mails"]:
        output.show(table)
    elif order:
        say(f"order {order} has no unsent mails")
    for contact in response["unusable_contacts"]:
        owner = f"order {contact['order_id']}" if contact["order_id"] else f"customer {contact['customer_id']}"
        say(f"unusable contact of {owner}: {contact['problem']}")
    if not order:
        say(" · ".join(f"{count} {name}" for name, count in response["counts"].items() if count) or "no unsent mails")
    return None


@app.command()
def show(mail: Id) -> None:
    """Show one mail: its recipient, its delivery, and its text as it would be sent now."""
    from cli.clients import management

    response = management.get("notifier", "/mail", id=mail)
    for name in SHOWN:
        if response.get(name) is not None:
            value = local_time.of_text(response[name]) if name.endswith(("_at", "_since")) else response[name]
            say(f"{name.replace('_', ' ')}: {value}")
    if advice := order_advice.address(response):
        say(advice)
    say("")
    if "subject" in response:
        say(response["subject"])
        say("")
    say_all(response["text"].rstrip())


@app.command()
def resolve(
    mail: Id,
    *,
    sent: Annotated[bool, typer.Option("--sent", help="The mail arrived: record it as sent.")] = False,
    send_again: Annotated[bool, typer.Option("--send-again", help="The mail did not arrive: send it again.")] = False,
) -> None:
    """Resolve a mail whose delivery is unknown, or send a failed mail again. Repeating the command changes nothing."""
    from cli.clients import management

    if sent == send_again:
        raise CommandError("Say what you found out: --sent or --send-again.")
    response: dict[str, JsonValue] = management.post(
        "notifier", "/mails/resolve", {"id": mail, "as": "sent" if sent else "send_again"}
    )
    say(
        f"{response['id']} is {response['status']}"
        + ("" if response["changed"] else " (as before: it was resolved already)")
    )
