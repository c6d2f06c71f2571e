"""The console, asked through its API."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from cli import environment
from local.messages import Trouble

TIMEOUT_S = 30.0
LISTED = 20
T = TypeVar("T")


def ask(*path: str, **parameters: str | None) -> Any:
    """The console's answer, as JSON; None when it has no such thing.

    Raises Trouble when it does not answer or refuses.
    """
    env = environment.read()
    environment.need(env, "CONSOLE_URL", "CONSOLE_TOKEN")
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    url = f"{env['CONSOLE_URL']}/api/{'/'.join(quote(part, safe='') for part in path)}{'?' if query else ''}{query}"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {env['CONSOLE_TOKEN']}"})  # noqa: S310
    # Asked directly: a proxy named in the environment has no business between here and here.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(asked, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        return _refused(refused, env["CONSOLE_URL"], path[-1])
    except OSError as away:
        raise Trouble(f"The console at {env['CONSOLE_URL']} does not answer: {away}") from away


def several(name: str, events: Iterable[T], line: Callable[[T], str]) -> str:
    """The sentence that lists all that a name means."""
    lines = [line(event) for event in events]
    more = [f"  and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    listed = "\n".join([*lines[:LISTED], *more])
    return f"{name} names several events, and nothing was done. Name one of them by its id:\n{listed}"


def _line(webhook: Mapping[str, Any]) -> str:
    what = f"{webhook['eventType'] or webhook['type']} from {webhook['provider']}"
    about = f" of order {webhook['orderId']}" if webhook["orderId"] else ""
    return f"  {webhook['webhookId']}  {webhook['receivedAt'] or '':27}  {webhook['status']:9}  {what}{about}"


def _refused(refused: urllib.error.HTTPError, url: str, name: str) -> None:
    try:
        said = json.load(refused)
        error, message = said["error"], said["message"]
    except (ValueError, LookupError, TypeError):
        raise Trouble(f"What answers at {url} is no console ({refused.code}).") from refused
    if error == "ambiguous":
        raise Trouble(several(name, said["webhooks"], _line)) from refused
    if error != "not_found":
        raise Trouble(f"The console refuses: {message}.") from refused
