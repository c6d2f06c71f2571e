"""`hookstream stats`, `webhook` and `why`: print what the console's log has about them."""

import json
from typing import Annotated

import typer

from cli import output
from cli.dead.options import WHEN
from cli.output import Json
from local.messages import CommandError, say, say_all
from runtime.json_value import JsonValue

TIME_CHARS = len("2026-02-03T12:00:00")


def stats(
    begin: Annotated[str | None, typer.Option("--from", help=WHEN)] = None,
    end: Annotated[str | None, typer.Option("--to", help=f"{WHEN} A date includes its day.")] = None,
    provider: Annotated[str | None, typer.Option(help="One provider, such as TOSS. Default: all providers.")] = None,
) -> None:
    """Print contract E's statistics as JSON: counts and success rate, in total and by type."""
    from cli.clients import console

    say_all(json.dumps(console.fetch("statistics", **{"from": begin, "to": end, "provider": provider}), indent=2))


def webhook(
    webhook_id: Annotated[str, typer.Argument(metavar="ID", help="Our webhook id, or the provider's.")],
    *,
    as_json: Json = False,
) -> None:
    """Show one webhook: its verification, the services that processed it, the events and mails that followed."""
    from cli.clients import console

    life = console.fetch("webhooks", webhook_id)
    if life is None:
        known = console.fetch("orders", webhook_id) is not None
        hint = f" There is an order {webhook_id}: see `hookstream order {webhook_id}`." if known else ""
        raise CommandError(f"The log has no webhook {webhook_id}.{hint}")
    if as_json:
        return output.say_json(life)
    say(f"webhook {life['webhookId']}")
    _print_fields(life, "provider", "providerEventId", "type", "eventType", "orderId", "customerId", "status")
    _print_fields(life, "retryCount", "lastRetryAt", "error", "note", "verification", "confirmedAs")
    if life["record"]:
        say("  record: {topic} partition {partition} offset {offset}".format(**life["record"]))
    say(f"  payload: {json.dumps(life['payload'], ensure_ascii=False)}")
    return timeline(life)


def why(
    order_id: Annotated[str, typer.Argument(metavar="ORDER")],
    field: Annotated[str, typer.Argument(help="A column of the order's state, such as paid_amount.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the console's answer as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Name the webhook that set a field of an order, and those that stated it too and lost, with the reason."""
    from cli.clients import console

    found = console.fetch("orders", order_id, "why", field)
    if found is None:
        raise CommandError(f"The log has no state of an order {order_id}. See `hookstream order {order_id}`.")
    if as_json:
        say_all(json.dumps(found, ensure_ascii=False, indent=2))
        return
    say(f"{field} of order {order_id} is {found['value']}{' ' + found['currency'] if found['currency'] else ''}")
    if found["setBy"] is None:
        say("  no webhook has set it" if found["value"] is None else "  the webhook that set it is not in the log")
    else:
        _print_origin("set by", found["setBy"])
        if found["through"]:
            say(f"    through the domain event {found['through']} that it caused")
    for lost in found["lost"]:
        _print_origin("lost:", lost)
        say(f"    {lost['reason']}: {lost['explanation']}")


def _print_origin(label: str, entry: dict[str, JsonValue]) -> None:
    """Print one webhook after `label`: the value it states, its verification, its bytes and its position in Kafka."""
    what = f" {entry['eventType']} from {entry['provider']}" if "provider" in entry else ""
    say(f"  {label} webhook {entry['webhookId']}{what}")
    if "provider" in entry:
        say(f"    states {entry['stated']} with status {entry['status']}")
        say(f"    time {entry['occurredAt']} by the provider, received {entry['receivedAt']}")
        signature = f", signature {entry['signature']}" if entry["signature"] else ""
        say(f"    verified by {entry['verification']}{signature}")
        say("    {size} bytes, sha256 {sha256}".format(**entry["bytes"]))
    if entry["record"]:
        say("    record: {topic} partition {partition} offset {offset}".format(**entry["record"]))


def _print_fields(life: dict[str, JsonValue], *names: str) -> None:
    for name in names:
        if life[name] not in (None, 0):
            say(f"  {name}: {life[name]}")


def timeline(life: dict[str, JsonValue]) -> None:
    """Print the `timeline` of an order or a webhook, as the console's API returns it, with times in UTC."""
    for event in life["timeline"]:
        at = (event["at"] or "")[:TIME_CHARS].replace("T", " ")
        say(f"  {at:19}  {event['kind']:9}  {event['what']}  {event['id']}")
