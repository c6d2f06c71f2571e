"""`hookstream order`: prints an order's state, timeline, refused requests and unsent mails."""

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from cli import local_time, output
from cli.commands.log import order_advice
from cli.commands.log.lookup import timeline
from cli.output import Json
from local.messages import CommandError, print_error, say
from runtime.json_value import JsonValue
from runtime.plain_text import counted

SHOP = "SHOP"
"""The console's name for the shop."""
CONFIRMED = ("TOSS", "IAMPORT", "PORTONE_V2", "INICIS", "TAPAYZ", "DELIVERY_TRACKER")
"""Providers whose API confirms webhooks, by the console's names for them."""
MAX_MAILS = 1000  # the notifier's limit for one request
NOT_POSTED = (
    "the shop has not posted this order, and no mail went to its customer. If no address of the customer is known, post"
    " the order to /webhooks/order with an e-mail address, or the customer to /webhooks/customer; mails that wait are"
    " then sent by themselves"
)


def order(order_id: Annotated[str, typer.Argument(metavar="ID")], *, as_json: Json = False) -> None:
    """Show one order: its state, all that every service did for it sorted by time, and its unsent mails."""
    from cli.clients import console

    life = console.fetch("orders", order_id)
    if life is None:
        known = console.fetch("webhooks", order_id) is not None
        hint = f" There is a webhook {order_id}: see `hookstream webhook {order_id}`." if known else ""
        lines = _refused(order_id, ())
        known_of = f" {'. '.join(line[0].upper() + line[1:] for line in lines)}." if lines else hint
        raise CommandError(f"The log has no order {order_id}.{known_of}")
    unsent, problem = _unsent(order_id)
    if as_json:
        if problem:  # standard output has the JSON alone
            print_error(problem)
        return output.say_json({**life, "unsentMails": unsent})
    say(f"order {order_id}")
    _print_state(life)
    timeline(life)
    _print_open_webhooks(life)
    for line in _refused(order_id, (row["receivedAt"] for row in life["webhooks"])):
        say(f"  {line}")
    if problem:
        say(f"  {problem}")
    _print_unsent(life, unsent or ())
    return None


def _print_open_webhooks(life: Mapping[str, JsonValue]) -> None:
    for entry in life["webhooks"]:
        if entry["status"] != "PROCESSED" or entry["note"]:
            why = (entry["error"] or "").partition("\n")[0] or entry["note"] or "not processed yet"
            say(f"  {entry['status']}: {entry['eventType'] or entry['type']} {entry['webhookId']}: {why}")
        _print_confirmation(entry)


def _refused(order_id: str, accepted: Iterable[str | None]) -> list[str]:
    from cli.clients import console

    page = console.fetch("refusals", order=order_id, limit=str(order_advice.MAX_REFUSALS))
    return order_advice.refused(order_id, page["refusals"], accepted, more=page["next"] is not None)


def _print_unsent(life: Mapping[str, JsonValue], unsent: Iterable[JsonValue]) -> None:
    if lacks_address(life):
        say(f"  {NOT_POSTED}")
    unsent = list(unsent)
    for line in order_advice.addresses(unsent):
        say(f"  {line}")
    for mail in unsent:
        state = "waits for a recipient address" if mail["status"] == "waiting" else f"is {mail['status']}"
        error = f": {mail['error']}" if mail["error"] else ""
        say(f"  mail {mail['id']} of {mail['event_type']} to the {mail['audience']} {state}{error}")


def lacks_address(life: Mapping[str, JsonValue]) -> bool:
    """Return whether the shop posted no such order and no mail went to the order's customer.

    `life` is the order as the console's API returns it. An address from a customer webhook does not show in it, so True
    does not prove that none is known.
    """
    is_posted = any(row["provider"] == SHOP and row["orderId"] == life["orderId"] for row in life["webhooks"])
    return not is_posted and not any(mail["audience"] == "customer" for mail in life["mails"])


def _print_state(life: dict[str, JsonValue]) -> None:
    """Print the columns of the order's state that are set; amounts are in minor units of the currency."""
    if life["state"] is None:
        say("  no service has published a state of this order yet")
        return
    for name, value in life["state"].items():
        if value is not None:
            say(f"  {name}: {value}{' ' + life['currency'] if name.endswith('_amount') and life['currency'] else ''}")
    if life["subscription"]["plan"]:
        say(f"  subscription: {life['subscription']['plan']} {life['subscription']['status']}")


def _print_confirmation(webhook: dict[str, JsonValue]) -> None:
    """Print the last answer of the provider's API about a webhook, which only the confirmer has.

    Print nothing for a confirmed webhook, and for a webhook about which no API is asked.
    """
    from cli.clients import management

    if webhook["verification"] == "confirmed" or webhook["provider"] not in CONFIRMED:
        return
    try:
        request = management.get("confirmer", "/verification-request", id=webhook["webhookId"])
    except management.ServiceRefusal as refusal:
        if refusal.error != "unknown_verification_request":
            say(f"  the confirmation of {webhook['webhookId']} is not known: {refusal}")
        return
    except CommandError as error:
        say(f"  the confirmation of {webhook['webhookId']} is not known: {error}")
        return
    answer = (request["answer"] or "").partition("\n")[0] or ("confirmed" if request["eventId"] else "no answer yet")
    became = f", it became event {request['eventId']}" if request["eventId"] else ""
    next_attempt = (
        f", asked again at {local_time.of_text(request['nextAttemptAt'])}" if request["nextAttemptAt"] else ""
    )
    say(
        f"  confirmer: {webhook['provider']} was asked about {request['subject']} {request['alias']} "
        f"{counted(request['attempts'], 'time')} and last answered: {answer}{became}{next_attempt}"
    )


def _unsent(order_id: str) -> tuple[JsonValue, CommandError | None]:
    """Return the mails of an order that are not sent; None and the error when the notifier, which has them, fails."""
    from cli.clients import management

    try:
        return management.get("notifier", "/mails", order=order_id, limit=MAX_MAILS)["mails"], None
    except CommandError as error:
        return None, CommandError(f"the unsent mails of this order are not known: {error}")
