"""`hookstream mail`: mails that need somebody, one mail in full, and what a person found out about it."""

from datetime import datetime
from typing import Annotated, Any

import typer

from cli import output
from local.messages import Trouble, say, say_all

app = typer.Typer(help="Mails: what became of them, and what to do about it.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="A mail's id, as `mail list` shows it.")]
SHOWN = (
    "status fact_type audience recipient order_id customer_id attempts error received_at created_at next_attempt_at"
    " sending_since sent_at resolved_at message_id fact_id"
).split()


@app.command("list")
def list_(
    status: Annotated[
        str | None, typer.Option(help="Such as unknown; else all that are failed, unknown, no_recipient or stale.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="Those about this order; all that are not sent.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest first.")] = 50,
) -> None:
    """Show the mails that need somebody."""
    from cli.clients import management

    said = management.get("notifier", "/mails", status=status, order=order, limit=limit)
    table = output.table("id", "status", "fact", "to the", "order", "since", "error")
    for mail in said["mails"]:
        about = mail["order_id"] or mail["customer_id"] or ""
        cells = (mail["id"], mail["status"], mail["fact_type"], mail["audience"], about, _time(mail["created_at"]))
        output.add(table, *cells, mail["error"] or "")
    if said["mails"]:
        output.show(table)
    elif order:
        say(f"nothing of {order} is unsent")
    for contact in said["unusable_contacts"]:
        whose = f"order {contact['order_id']}" if contact["order_id"] else f"customer {contact['customer_id']}"
        say(f"unusable contact of {whose}: {contact['problem']}")
    if not order:
        say(" · ".join(f"{count} {name}" for name, count in said["counts"].items() if count) or "nothing is unsent")


@app.command()
def show(mail: Id) -> None:
    """Show all of one mail: to whom, what became of it, its words."""
    from cli.clients import management

    said = management.get("notifier", "/mail", id=mail)
    for name in SHOWN:
        if said.get(name) is not None:
            value = _time(said[name]) if name.endswith(("_at", "_since")) else said[name]
            say(f"{name.replace('_', ' ')}: {value}")
    say("")
    if "subject" in said:
        say(said["subject"])
        say("")
    say_all(said["text"].rstrip())


@app.command()
def resolve(
    mail: Id,
    *,
    sent: Annotated[bool, typer.Option("--sent", help="It arrived: it counts as sent.")] = False,
    send_again: Annotated[bool, typer.Option("--send-again", help="It did not: send it.")] = False,
) -> None:
    """Settle an unknown mail by what you found out (a failed one can be sent again); twice changes nothing twice."""
    from cli.clients import management

    if sent == send_again:
        raise Trouble("Say what you found out: --sent or --send-again.")
    said: dict[str, Any] = management.post(
        "notifier", "/mails/resolve", {"id": mail, "as": "sent" if sent else "send_again"}
    )
    say(f"{said['id']} is {said['status']}" + ("" if said["changed"] else " (as before: it was resolved already)"))


def _time(said: str) -> str:
    return f"{datetime.fromisoformat(said).astimezone():%Y-%m-%d %H:%M:%S}"
