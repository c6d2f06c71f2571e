"""`hookstream retry`: retries a failed event now and prints the result."""

import time

from cli import local_time
from cli.dead import event_lookup, options
from cli.dead.options import STORES, Id
from local.messages import CommandError, say
from runtime.json_value import JsonValue

TIMEOUT_S, POLL_S = 10.0, 0.2
"""How long the result of a try is waited for, and the time between two looks at it."""


def retry(event: Id) -> None:
    """Retry a retrying event now, in each service where it is retrying, and print the result.

    The exit code is 1 when the event fails again, is not tried within 10 s, is not retrying in any service, or a
    service does not answer.
    """
    from cli.clients import management

    event = _resolve(event)
    states, errors = management.call_each(STORES, lambda name: management.get(name, "/retry", id=event))
    if not states:
        options.raise_errors(errors)
        raise CommandError(f"No service knows the event {event}.")
    retrying = [name for name, state in states.items() if state["outcome"] == "retrying"]
    # Where no service is retrying it, post to one all the same: its refusal says why.
    for name in retrying or sorted(states, key=lambda name: _relevance(states[name]))[:1]:
        try:
            begun = management.post(name, "/retry", {"id": event})
        except management.ServiceRefusal as refusal:
            raise CommandError(refusal.message) from refusal
        tries = begun["attempt"] - 1
        say(f"{name}: {_contract_status(tries)}, tries: {tries}: {options.first_line(begun['error'])}")
        errors += _watch(name, event, begun["attempt"])
    options.raise_errors(errors)


def _resolve(name: str) -> str:
    """Return the event id for `name`: a UUID as it is, else that of a failed event, else of a webhook in the log.

    Raises CommandError when neither has the id, or several events have it.
    """
    if event_lookup.is_event_id(name):
        return name
    try:
        return event_lookup.event_ids([name], None, "retrying")[0]
    except event_lookup.NotFailed:
        event = event_lookup.find_in_log(name)
    if event is None:
        raise CommandError(f"No service knows the event {name}.")
    say(f"{name} is {event}")
    return event


def _watch(service: str, event: str, attempt: int) -> list[str]:
    """Poll until try number `attempt` has ended. Print success; return an error text for anything else."""
    from cli.clients import management

    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        state = management.get(service, "/retry", id=event)
        if state["outcome"] in ("processed", "late"):
            say(f"{service}: PROCESSED, tries: {attempt}")
            return []
        if state["outcome"] == "dead":
            return [f"{service}: ABANDONED, tries: {state['attempts']}: {options.first_line(state['error'])}"]
        if state.get("attempts", 0) >= attempt:
            tries = f"tries: {state['attempts']}, next {local_time.of_text(state['nextAttemptAt'])}"
            return [f"{service}: {_contract_status(state['attempts'])}, {tries}: {options.first_line(state['error'])}"]
        time.sleep(POLL_S)
    return [f"{service}: not tried within {TIMEOUT_S:g} s. Run `hookstream dead show {event}` later for the result."]


def _contract_status(attempts: int) -> str:
    """Return contract E's status of an event that has failed `attempts` times and is retried."""
    return "RETRYING" if attempts > 1 else "FAILED"


def _relevance(state: dict[str, JsonValue]) -> tuple[bool, bool]:
    """Return a sort key: services that count attempts first, whose refusal says most; those that are done last."""
    return "attempts" not in state, state["outcome"] in ("processed", "late", "duplicate")
