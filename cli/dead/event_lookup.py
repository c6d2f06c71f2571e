"""Finds the event that an id on the command line names: an event id, or the id its provider gave it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from cli.dead import options as failed
from local.messages import Trouble, say

MOST = 500


class NotFailed(Trouble):
    """No service has a failed event under this name."""


def is_ours(name: str) -> bool:
    """Return whether this is an event id (a UUID)."""
    try:
        return str(UUID(name)) == name.lower()
    except ValueError:
        return False


def event_ids(names: Iterable[str], service: str | None, *statuses: str) -> list[str]:
    """The ids of the failed events that are meant, those with one of `statuses` first.

    Raises Trouble when a name means several or none: then nothing is done to any of them.
    """
    return [name if is_ours(name) else _failed(name, service, statuses) for name in dict.fromkeys(names)]


def logged(name: str) -> str | None:
    """The id of the one webhook in the console's log that a provider's id names; None when there is none.

    Raises Trouble when it names several.
    """
    from cli.clients import console

    life = console.ask("webhooks", name)
    return None if life is None else str(life["webhookId"])


def _failed(name: str, service: str | None, statuses: tuple[str, ...]) -> str:
    from cli.clients import console, management

    failed.check(name=name)
    answers, troubles = management.each(
        failed.services(service), lambda one: management.get(one, "/dead", name=name, limit=MOST)
    )
    events = [{**event, "service": one} for one, answer in answers.items() for event in answer["events"]]
    meant = [event for event in events if event["status"] in statuses] or events
    found = {event["id"] for event in meant}
    if len(found) == 1:
        (event_id,) = found
        say(f"{name} is {event_id}{_of_several(events)}")
        return str(event_id)
    if found:
        raise Trouble(console.several(name, meant, _line))
    failed.end(troubles)
    raise NotFailed(_unfailed(name))


def _line(event: Mapping[str, Any]) -> str:
    about = f"{event['type'] or 'undecodable'} of order {event['orderId'] or 'unknown'}"
    return f"  {event['id']}  {event['status']}  {about}: {failed.line(event['error'])}"


def _of_several(events: list[dict[str, Any]]) -> str:
    others = {event["id"] for event in events}
    return f", the only one of {len(others)} failed events under this name that is meant" if len(others) > 1 else ""


def _unfailed(name: str) -> str:
    """Return the event of a provider's id for which no service has a failed event: it may have been handled."""
    try:
        event_id = logged(name)
    except Trouble as away:
        return f"No service has a failed event {name}. {away}"
    known = f"; it is {event_id}, which has not failed: see `hookstream webhook {event_id}`" if event_id else ""
    return f"No service has a failed event {name}{known}."
