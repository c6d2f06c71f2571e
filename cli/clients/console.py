"""Client of the console's API, with the address and the token of this command line's environment."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote, urlencode

from cli import environment
from local.messages import CommandError
from runtime.clients import loopback
from runtime.confidential.urls import without_password
from runtime.json_value import JsonValue

TIMEOUT_S = 30.0
MAX_LISTED = 20
"""The most events that the error for an ambiguous id lists."""
T = TypeVar("T")


def fetch(*path: str, **parameters: str | None) -> JsonValue:
    """Return the JSON at a path of the console's API, or None when it answers `not_found`.

    `path` are the unescaped parts behind `/api/`; parameters that are None are left out. Raises CommandError when a
    part is empty, CONSOLE_URL or CONSOLE_TOKEN is not set, the console does not answer or refuses, another server
    answers, or an id names several webhooks.
    """
    if not all(path):  # an empty part would name another path
        raise CommandError("An id must not be empty.")
    env = environment.read()
    environment.require(env, "CONSOLE_URL", "CONSOLE_TOKEN")
    address = without_password(env["CONSOLE_URL"])
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    url = f"{env['CONSOLE_URL']}/api/{'/'.join(quote(part, safe='') for part in path)}{'?' if query else ''}{query}"
    try:
        response = loopback.get(url, token=env["CONSOLE_TOKEN"], timeout_s=TIMEOUT_S)
    except OSError as failure:
        raise CommandError(f"The console at {address} does not answer: {failure}") from failure
    if response.status == HTTPStatus.OK:
        return response.json()
    return _raise_unless_missing(response, address, path[-1])


def ambiguous_message(name: str, events: Iterable[T], line: Callable[[T], str]) -> str:
    """Return the error for an id `name` that names several events.

    The error has `line(event)` for each of the first MAX_LISTED events, and the number of the others.
    """
    lines = [line(event) for event in events]
    more = [f"  and {len(lines) - MAX_LISTED} more"] if len(lines) > MAX_LISTED else []
    listed = "\n".join([*lines[:MAX_LISTED], *more])
    return f"{name} names several events, and nothing was done. Pass the event id of one of them:\n{listed}"


def _line(webhook: Mapping[str, JsonValue]) -> str:
    origin = f"{webhook['eventType'] or webhook['type']} from {webhook['provider']}"
    order = f" of order {webhook['orderId']}" if webhook["orderId"] else ""
    return f"  {webhook['webhookId']}  {webhook['receivedAt'] or '':27}  {webhook['status']:9}  {origin}{order}"


def _raise_unless_missing(refusal: loopback.Response, url: str, name: str) -> None:
    try:
        answer = refusal.json()
        error, message = answer["error"], answer["message"]
    except (ValueError, LookupError, TypeError) as other:
        raise CommandError(
            f"The server at {url} is not a hookstream console (HTTP {refusal.status}). Check CONSOLE_URL."
        ) from other
    if error == "ambiguous":
        raise CommandError(ambiguous_message(name, answer["webhooks"], _line))
    if error != "not_found":
        raise CommandError(f"The console refused the request: {message}.")
