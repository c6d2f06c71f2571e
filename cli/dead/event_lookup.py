"""Resolves ids from the command line to event ids. A person may pass an event id or the id its provider gave."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from cli.dead import options
from local.messages import CommandError, say
from runtime.json_value import JsonValue

MAX_EVENTS = 500
"""The most failed events under one provider's id that are read of each service."""


class NotFailed(CommandError):
    """No service has a failed event under a provider's id."""


def is_event_id(name: str) -> bool:
    """Return whether `name` has the form of an event id: a UUID with hyphens, in any case."""
    try:
        return str(UUID(name)) == name.lower()
    except ValueError:
        return False


def event_ids(names: Iterable[str], service: str | None, *statuses: str) -> list[str]:
    """Return an event id for each distinct name, in their order.

    A UUID is returned as it is, without a look-up. A provider's id stands for the event that failed under it in
    `service` (None: in any service), which is printed; failed events with one of `statuses` go before others. A service
    that does not answer is ignored if another has the event. Raises NotFailed when there is no such event, CommandError
    when there are several, or when no event was found and a service does not answer.
    """
    return [name if is_event_id(name) else _failed_event_id(name, service, statuses) for name in dict.fromkeys(names)]


def find_in_log(name: str) -> str | None:
    """Return our id of the webhook that the console's log has under `name`, our id or the provider's; None without one.

    Raises CommandError when `name` is the id of several webhooks, or the console does not answer.
    """
    from cli.clients import console

    webhook = console.fetch("webhooks", name)
    return None if webhook is None else str(webhook["webhookId"])


def _failed_event_id(name: str, service: str | None, statuses: tuple[str, ...]) -> str:
    from cli.clients import console, management

    options.check_filters(name=name)
    responses, errors = management.call_each(
        options.services(service), lambda called: management.get(called, "/dead", name=name, limit=MAX_EVENTS)
    )
    events = [{**event, "service": at} for at, response in responses.items() for event in response["events"]]
    candidates = [event for event in events if event["status"] in statuses] or events
    found = {event["id"] for event in candidates}
    if len(found) == 1:
        (event_id,) = found
        say(f"{name} is {event_id}{_chosen_note(events)}")
        return str(event_id)
    if found:
        raise CommandError(console.ambiguous_message(name, candidates, _line))
    options.raise_errors(errors)
    raise NotFailed(_not_failed_message(name))


def _line(event: Mapping[str, JsonValue]) -> str:
    about = f"{event['type'] or 'undecodable'} of order {event['orderId'] or 'unknown'}"
    return f"  {event['id']}  {event['status']}  {about}: {options.first_line(event['error'])}"


def _chosen_note(events: list[dict[str, JsonValue]]) -> str:
    ids = {event["id"] for event in events}
    return f", the only one of {len(ids)} failed events under this id that can be changed" if len(ids) > 1 else ""


def _not_failed_message(name: str) -> str:
    """Return the error for an id without a failed event. It names the event that the console's log has under the id."""
    try:
        event_id = find_in_log(name)
    except CommandError as error:
        return f"No service has a failed event {name}. {error}"
    known = f"; it is {event_id}, which has not failed: see `hookstream webhook {event_id}`" if event_id else ""
    return f"No service has a failed event {name}{known}."
