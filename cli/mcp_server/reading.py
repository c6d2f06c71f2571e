"""The tools that only read. Each is a function from parameters to JSON; its docstring is what the agent reads."""

from cli.clients import console, management
from cli.dead import options
from cli.mcp_server.diagnosis import mail_reasons
from local.messages import CommandError
from runtime.json_value import JsonValue

Answer = dict[str, JsonValue]
LIMIT = 50
MAIL_FIELDS = (
    "id status event_type event_id audience order_id customer_id attempts error received_at created_at next_attempt_at "
    "sending_since sent_at resolved_at message_id locale"
).split()
"""The fields of a mail that an agent sees: neither its recipient nor its content."""
MAX_MAILS = 1000


def search(text: str) -> Answer:
    """Find what an id names: an order, a webhook (our id or the provider's), or refused requests that name the order.

    `order` and `webhook` are null without one. `webhook.ambiguous` lists the webhooks if several have the id.
    """
    try:
        webhook: JsonValue = console.fetch("webhooks", text)
    except CommandError as several:  # a provider's id of several webhooks
        webhook = {"ambiguous": str(several)}
    order = console.fetch("orders", text)
    return {
        "order": None
        if order is None
        else {"orderId": text, "webhooks": len(order["webhooks"]), "mails": order["mails"]},
        "webhook": webhook,
        "refusals": console.fetch("refusals", order=text, limit=str(LIMIT))["refusals"],
    }


def order(order_id: str) -> Answer:
    """Show all that the log has about an order: its state, webhooks, outcomes, domain events, mails and timeline.

    `found` is false when the log has nothing of the order; then look at `refusals`.
    """
    life = console.fetch("orders", order_id)
    return {"found": life is not None, **(life or {"orderId": order_id})}


def webhook(webhook_id: str) -> Answer:
    """Show one webhook by our id or its provider's: payload (masked), verification, outcomes, events and mails.

    `found` is false when the log has no such webhook. An id of several webhooks is an error that lists them.
    """
    life = console.fetch("webhooks", webhook_id)
    return {"found": life is not None, **(life or {"webhookId": webhook_id})}


def why(order_id: str, field: str) -> Answer:
    """Say which webhook set a field of an order's state, such as payment_status, and which webhooks lost, and why.

    `found` is false when no state of the order is known. An unknown field is an error that lists the fields.
    """
    answer = console.fetch("orders", order_id, "why", field)
    return {"found": answer is not None, **(answer or {"orderId": order_id, "field": field})}


def refusals(
    order_id: str | None = None,
    cause: str | None = None,
    provider: str | None = None,
    since: str | None = None,
    limit: int = LIMIT,
) -> Answer:
    """List requests that the gateway refused in the last 7 days, newest first.

    Causes are such as invalid_signature, stale_timestamp, malformed_body, unknown_path. `since` is a date (a day in
    UTC) or an instant with an offset. `limit` is at most 200. Nothing proves a refused body: it may name any order.
    """
    period = {"from": since}
    found = console.fetch("refusals", **period, order=order_id, cause=cause, provider=provider, limit=str(limit))
    return dict(found)


def mails(order_id: str | None = None, status: str | None = None) -> Answer:
    """List mails. With an order: its mails in `sent` and `unsent`, and `reasons`, why it got these and no others.

    Without an order: in `unsent` the mails of a status (waiting, queued, sending, failed, unknown, stale, no_recipient,
    sent), by default those that need a person. `counts` are the numbers of all mails by status, without sent ones.
    """
    listed = management.get("notifier", "/mails", order=order_id, status=status, limit=MAX_MAILS)
    answer: Answer = {
        "unsent": listed["mails"],
        "unusableContacts": listed["unusable_contacts"],
        "counts": listed["counts"],
    }
    if order_id is None:
        return answer
    life = console.fetch("orders", order_id)
    refused = console.fetch("refusals", order=order_id, limit=str(LIMIT))["refusals"]
    problems = [contact["problem"] for contact in listed["unusable_contacts"]]
    reasons = [*mail_reasons(life, listed["mails"], refused), *(f"unusable contact: {problem}" for problem in problems)]
    return {**answer, "sent": life["mails"] if life else [], "reasons": reasons}


def mail(mail_id: str) -> Answer:
    """Show one mail: its status, error, attempts and times. Its recipient and text are left out."""
    found = management.get("notifier", "/mail", id=mail_id)
    return {name: found.get(name) for name in MAIL_FIELDS}


def statistics(since: str | None = None, until: str | None = None, provider: str | None = None) -> Answer:
    """Count webhooks by type and success, received from `since` until before `until`, of a provider such as TOSS.

    Times are a date (a day in UTC, which `until` includes), or an instant with an offset. Default: all.
    """
    return dict(console.fetch("statistics", **{"from": since, "to": until, "provider": provider}))


def dead_letters(
    service: str | None = None, order_id: str | None = None, cause: str | None = None, status: str | None = None
) -> Answer:
    """List failed events, of one service or of all: the newest 50 of each service that match.

    `cause` is a part of the error. `status` is retrying, dead or dismissed; default: retrying and dead. `counts` are
    the numbers of all failed events of each service. `unreachable` has an error for each service that failed.
    """
    responses, errors = management.call_each(
        options.services(service),
        lambda name: management.get(name, "/dead", order=order_id, cause=cause, status=status, limit=LIMIT),
    )
    events = [{"service": name, **event} for name, response in responses.items() for event in response["events"]]
    counts = {name: response["counts"] for name, response in responses.items()}
    return {"events": events, "counts": counts, "unreachable": errors}


TOOLS = (search, order, webhook, why, refusals, mails, mail, statistics, dead_letters)
