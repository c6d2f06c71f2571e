"""Asks a service through its management listener, with the token; its no is a sentence for the person."""

import http.client
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from cli import environment
from local.messages import Trouble

TIMEOUT_S = 30.0


class No(Trouble):
    """A service's own no: an HTTP status, and the word that its answer says for programs."""

    def __init__(self, service: str, status: int, said: Mapping[str, Any]) -> None:
        super().__init__(f"The {service} says no: {said.get('message', status)}")
        self.service = service
        self.status = status
        self.error = said.get("error")
        self.message = str(said.get("message", status))


def get(service: str, path: str, **query: object) -> Any:
    """What `service` shows at `path`.

    Raises No when it refuses, Trouble when it does not answer.
    """
    told = urlencode({name: value for name, value in query.items() if value is not None})
    return _ask(service, "GET", f"{path}?{told}" if told else path, None)


def post(service: str, path: str, said: Mapping[str, object]) -> Any:
    """What `service` says to a wish posted to `path`.

    Raises No when it refuses, Trouble when it does not answer.
    """
    return _ask(service, "POST", path, json.dumps(said).encode())


def each(services: Iterable[str], ask: Callable[[str], Any]) -> tuple[dict[str, Any], list[str]]:
    """What each service answers to `ask`, without those that have no such thing; and the troubles with the others.

    Raises No where the question itself is refused: the others would say the same.
    """
    answers: dict[str, Any] = {}
    troubles: list[str] = []
    for service in services:
        try:
            answers[service] = ask(service)
        except No as no:
            if no.status == http.client.BAD_REQUEST:
                raise
            if no.status != http.client.NOT_FOUND:
                troubles.append(str(no))
        except Trouble as away:
            troubles.append(str(away))
    return answers, troubles


def _ask(service: str, method: str, target: str, body: bytes | None) -> Any:
    env, variable = environment.read(), f"{service.upper()}_MANAGEMENT_URL"
    environment.need(env, variable, "MANAGEMENT_TOKEN")
    headers = {"Authorization": f"Bearer {env['MANAGEMENT_TOKEN']}"}
    try:
        status, said = _exchange(env[variable], method, target, body, headers)
    except (OSError, http.client.HTTPException, ValueError) as failure:
        raise Trouble(f"The {service} at {env[variable]} does not answer: {failure}") from failure
    if status != http.client.OK:
        raise No(service, status, said)
    return said


def _exchange(
    url: str, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    """Asked directly: a proxy named in the environment has no business between here and here."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        connection.request(method, f"{address.path.rstrip('/')}{target}", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
