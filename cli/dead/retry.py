"""`hookstream retry`: a failed event tried again now, and what came of it."""

import time
from typing import Any

from cli.dead import event_lookup
from cli.dead import options as failed
from cli.dead.options import STORES, Id
from local.messages import Trouble, say

WATCHED_S, LOOK_S = 10.0, 0.2


def retry(event: Id) -> None:
    """Try a failed event again now, whichever service it failed in; exit code 1 when it fails again."""
    from cli.clients import management

    event = _meant(event)
    said, troubles = management.each(STORES, lambda one: management.get(one, "/retry", id=event))
    if not said:
        failed.end(troubles)
        raise Trouble(f"No service has ever heard of {event}.")
    failing = [name for name, answer in said.items() if answer["outcome"] == "retrying"]
    for name in failing or sorted(said, key=lambda name: _weight(said[name]))[:1]:
        try:
            begun = management.post(name, "/retry", {"id": event})
        except management.No as no:
            raise Trouble(no.message) from no
        say(f"{name}: {_word(begun['attempt'] - 1)}, tries: {begun['attempt'] - 1}: {failed.line(begun['error'])}")
        troubles += _watch(name, event, begun["attempt"])
    failed.end(troubles)


def _meant(name: str) -> str:
    """The event's id of ours; a failed event first, else whatever the log has under the provider's id."""
    if event_lookup.is_ours(name):
        return name
    try:
        return event_lookup.event_ids([name], None, "retrying")[0]
    except event_lookup.NotFailed:
        event = event_lookup.logged(name)
    if event is None:
        raise Trouble(f"No service has ever heard of {name}.")
    say(f"{name} is {event}")
    return event


def _watch(service: str, event: str, attempt: int) -> list[str]:
    """Wait for what becomes of this try; the troubles with it."""
    from cli.clients import management

    end = time.monotonic() + WATCHED_S
    while time.monotonic() < end:
        now = management.get(service, "/retry", id=event)
        if now["outcome"] in ("processed", "late"):
            say(f"{service}: PROCESSED, tries: {attempt}")
            return []
        if now["outcome"] == "abandoned":
            return [f"{service}: ABANDONED, tries: {now['attempts']}: {failed.line(now['error'])}"]
        if now.get("attempts", 0) >= attempt:
            tries = f"tries: {now['attempts']}, next {failed.time(now['nextAttemptAt'])}"
            return [f"{service}: {_word(now['attempts'])}, {tries}: {failed.line(now['error'])}"]
        time.sleep(LOOK_S)
    return [f"{service}: it is due, and not tried yet; `hookstream dead show {event}` tells when it was."]


def _word(attempts: int) -> str:
    """Contract E's status of an event that was tried so often and is tried again."""
    return "RETRYING" if attempts > 1 else "FAILED"


def _weight(standing: dict[str, Any]) -> tuple[bool, bool]:
    """Of services with which nothing can be retried, the one that has most to say of it comes first."""
    return "attempts" not in standing, standing["outcome"] in ("processed", "late", "duplicate")
