"""`hookstream stats`, `webhook` and `order`: what the console knows, for people and for pipes."""

import json
from typing import Annotated, Any

import typer

from local.messages import Trouble, say, say_all

SECONDS = len("2026-02-03T12:00:00")
CONFIRMED = ("TOSS", "IAMPORT", "PORTONE_V2", "INICIS", "TAPAYZ", "DELIVERY_TRACKER")
"""Providers whose API is asked, by the console's words for them."""
MAILS = 1000  # as many as the notifier shows at once
WHEN = "A date (a day of UTC) or an instant, such as 2026-02-03T09:00:00+09:00."


def stats(
    begin: Annotated[str | None, typer.Option("--from", help=WHEN)] = None,
    end: Annotated[str | None, typer.Option("--to", help=f"{WHEN} A date is included.")] = None,
    provider: Annotated[str | None, typer.Option(help="Such as TOSS; all of them when not said.")] = None,
) -> None:
    """Print contract E's statistics as JSON: totals and success rate, in all and by type."""
    from cli.clients import console

    say_all(json.dumps(console.ask("statistics", **{"from": begin, "to": end, "provider": provider}), indent=2))


def webhook(webhook_id: Annotated[str, typer.Argument(metavar="ID", help="Ours, or its provider's.")]) -> None:
    """Show one webhook's life: received, proved, handled by whom, announced, mailed."""
    from cli.clients import console

    life = console.ask("webhooks", webhook_id)
    if life is None:
        known = console.ask("orders", webhook_id) is not None
        hint = f" It is an order: `hookstream order {webhook_id}` shows that." if known else ""
        raise Trouble(f"The log has no webhook {webhook_id}.{hint}")
    say(f"webhook {life['webhookId']}")
    _tell(life, "provider", "providerEventId", "type", "eventType", "orderId", "customerId", "status")
    _tell(life, "retryCount", "lastRetryAt", "error", "note", "verification", "confirmedAs")
    if life["record"]:
        say("  record: {topic} partition {partition} offset {offset}".format(**life["record"]))
    say(f"  payload: {json.dumps(life['payload'], ensure_ascii=False)}")
    _timeline(life)


def order(order_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one order's life across the services, in the order it happened."""
    from cli.clients import console

    life = console.ask("orders", order_id)
    if life is None:
        known = console.ask("webhooks", order_id) is not None
        hint = f" It is a webhook: `hookstream webhook {order_id}` shows that." if known else ""
        raise Trouble(f"The log has no order {order_id}.{hint}")
    say(f"order {order_id}")
    _timeline(life)
    for one in life["webhooks"]:
        if one["status"] != "PROCESSED" or one["note"]:
            why = (one["error"] or "").partition("\n")[0] or one["note"] or "not handled yet"
            say(f"  {one['status']}: {one['eventType'] or one['type']} {one['webhookId']}: {why}")
        _tell_answer(one)
    for mail in _unsent(order_id):
        how = "waits until somebody tells its address" if mail["status"] == "waiting" else f"is {mail['status']}"
        error = f": {mail['error']}" if mail["error"] else ""
        say(f"  mail {mail['id']} of {mail['fact_type']} to the {mail['audience']} {how}{error}")


def _tell_answer(webhook: dict[str, Any]) -> None:
    """Print what the provider's API answered about a webhook that had to be confirmed; only the confirmer knows."""
    from cli.clients import management
    from cli.dead import options as failed

    if webhook["verification"] == "confirmed" or webhook["provider"] not in CONFIRMED:
        return
    try:
        question = management.get("confirmer", "/question", id=webhook["webhookId"])
    except management.No as no:
        if no.error != "unknown_question":
            say(f"  what the confirmer was answered about {webhook['webhookId']} is not known: {no}")
        return
    except Trouble as away:
        say(f"  what the confirmer was answered about {webhook['webhookId']} is not known: {away}")
        return
    answer = (question["answer"] or "").partition("\n")[0] or ("confirmed" if question["eventId"] else "no answer yet")
    became = f", it is event {question['eventId']}" if question["eventId"] else ""
    again = f", asked again at {failed.time(question['nextAttemptAt'])}" if question["nextAttemptAt"] else ""
    say(
        f"  confirmer: {webhook['provider']} was asked about {question['subject']} {question['reference']} "
        f"{question['attempts']} times and last answered: {answer}{became}{again}"
    )


def _unsent(order_id: str) -> Any:
    """What the log cannot know: only the notifier does."""
    from cli.clients import management

    try:
        return management.get("notifier", "/mails", order=order_id, limit=MAILS)["mails"]
    except Trouble as away:
        say(f"  which of its mails are not sent is not known: {away}")
        return []


def _tell(life: dict[str, Any], *names: str) -> None:
    for name in names:
        if life[name] not in (None, 0):
            say(f"  {name}: {life[name]}")


def _timeline(life: dict[str, Any]) -> None:
    """Times are UTC."""
    for event in life["timeline"]:
        at = (event["at"] or "")[:SECONDS].replace("T", " ")
        say(f"  {at:19}  {event['kind']:9}  {event['what']}  {event['id']}")
