"""Explains in sentences which mails of an order were sent, and why others were not. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from runtime.json_value import JsonValue
from runtime.plain_text import counted

Json = Mapping[str, JsonValue]
UNSENT = {
    "waiting": "waits for the recipient's address: no order or customer webhook has given one",
    "no_recipient": "has no recipient: the address did not arrive in time, or cannot be mailed",
    "queued": "is queued, and will be tried again",
    "sending": "is being sent now",
    "failed": "was refused by the mail server for good",
    "unknown": "may or may not have been sent: the mail server did not answer after the final dot",
    "stale": "is not sent, because its webhook was received too long ago",
}
STUCK = ("FAILED", "RETRYING", "ABANDONED", "RECEIVED")
"""The statuses of a webhook that has not had its effect."""


def mail_reasons(life: Json | None, unsent: Sequence[Json], refusals: Sequence[Json]) -> list[str]:
    """Return a sentence for each mail, sent and unsent, then for each stuck webhook and each cause of refusals.

    The last sentence says so if the log has no such order, or if no event of it is mailed. `life` is the order as the
    console's API returns it, None if the log has none; `unsent` are its mails that are not sent, `refusals` the refused
    requests whose bodies name it.
    """
    return [*_sent(life), *_not_sent(unsent), *_stuck(life), *_refused(refusals), *_nothing(life, unsent)]


def _sent(life: Json | None) -> Iterator[str]:
    for mail in life["mails"] if life else ():
        yield f"sent at {mail['sentAt']}: {mail['eventType']} to the {mail['audience']} (mail {mail['notificationId']})"


def _not_sent(unsent: Sequence[Json]) -> Iterator[str]:
    for mail in unsent:
        error = f": {mail['error']}" if mail["error"] else ""
        why = UNSENT.get(mail["status"], f"is {mail['status']}")
        yield f"not sent: {mail['event_type']} to the {mail['audience']} {why}{error} (mail {mail['id']})"


def _stuck(life: Json | None) -> Iterator[str]:
    for webhook in life["webhooks"] if life else ():
        if webhook["status"] in STUCK:
            why = (webhook["error"] or "not processed yet, or it waits for another event").partition("\n")[0]
            name = webhook["eventType"] or webhook["type"]
            yield f"the webhook {name} ({webhook['webhookId']}) is {webhook['status']}: {why}"


def _refused(refusals: Sequence[Json]) -> Iterator[str]:
    counts: dict[tuple[str, str], int] = {}
    for refusal in refusals:
        key = (refusal["provider"], refusal["cause"])
        counts[key] = counts.get(key, 0) + 1
    for (provider, cause), count in counts.items():
        named = f"{counted(count, 'request')} of {provider} naming this order"
        yield f"{named} {'was' if count == 1 else 'were'} refused: {cause}"


def _nothing(life: Json | None, unsent: Sequence[Json]) -> Iterator[str]:
    if life is None:
        yield "the log has no order of this id: no accepted webhook names it"
    elif not life["mails"] and not unsent:
        events = ", ".join(event["type"] for event in life["domain_events"]) or "none"
        yield f"no event of this order is mailed; its domain events are: {events} (docs/mails.md lists the mailed ones)"
