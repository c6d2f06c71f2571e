"""The console, asked through its API."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlencode

from cli import environment
from local.telling import Trouble

TIMEOUT_S = 30.0


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
        return _refused(refused, env["CONSOLE_URL"])
    except OSError as away:
        raise Trouble(f"The console at {env['CONSOLE_URL']} does not answer: {away}") from away


def _refused(refused: urllib.error.HTTPError, url: str) -> None:
    try:
        said = json.load(refused)
        error, message = said["error"], said["message"]
    except (ValueError, LookupError, TypeError):
        raise Trouble(f"What answers at {url} is no console ({refused.code}).") from refused
    if error != "not_found":
        raise Trouble(f"The console refuses: {message}.") from refused
