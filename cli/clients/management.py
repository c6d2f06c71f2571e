"""Client of the services' management listeners. It sends the management token."""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from cli import environment
from local.messages import CommandError
from runtime import loopback

TIMEOUT_S = 30.0


class ServiceRefusal(CommandError):
    """A service refused a request: the HTTP status, the error code for programs, and the message for people."""

    def __init__(self, service: str, status: int, response: Mapping[str, Any]) -> None:
        super().__init__(f"The {service} refused the request: {response.get('message', status)}")
        self.service = service
        self.status = status
        self.error = response.get("error")
        self.message = str(response.get("message", status))


def get(service: str, path: str, **query: object) -> Any:
    """Return the JSON at `path` of a service. Parameters that are None are left out.

    Raises ServiceRefusal when the service refuses, CommandError when it does not answer.
    """
    encoded = urlencode({name: value for name, value in query.items() if value is not None})
    target = f"{path}?{encoded}" if encoded else path
    return _request(service, lambda url, token: loopback.get(url + target, token=token, timeout_s=TIMEOUT_S))


def post(service: str, path: str, body: Mapping[str, object]) -> Any:
    """Post `body` as JSON to `path` of a service and return its JSON response.

    Raises ServiceRefusal when the service refuses, CommandError when it does not answer.
    """
    content = json.dumps(body).encode()
    return _request(service, lambda url, token: loopback.post(url + path, content, token=token, timeout_s=TIMEOUT_S))


def call_each(services: Iterable[str], call: Callable[[str], Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the response of each service, without those that answered 404, and an error text for each that failed.

    Raises ServiceRefusal on a 400: the request itself is wrong, so every service would refuse it.
    """
    responses: dict[str, Any] = {}
    errors: list[str] = []
    for service in services:
        try:
            responses[service] = call(service)
        except ServiceRefusal as refusal:
            if refusal.status == HTTPStatus.BAD_REQUEST:
                raise
            if refusal.status != HTTPStatus.NOT_FOUND:
                errors.append(str(refusal))
        except CommandError as error:
            errors.append(str(error))
    return responses, errors


def _request(service: str, send: Callable[[str, str], loopback.Response]) -> Any:
    """Call `send` with the service's URL and the token; return the JSON of its response."""
    env, variable = environment.read(), f"{service.upper()}_MANAGEMENT_URL"
    environment.require(env, variable, "MANAGEMENT_TOKEN")
    try:
        response = send(env[variable].rstrip("/"), env["MANAGEMENT_TOKEN"])
        answer = response.json()
    except (OSError, ValueError) as failure:
        raise CommandError(f"The {service} at {env[variable]} does not answer: {failure}") from failure
    if response.status != HTTPStatus.OK:
        raise ServiceRefusal(service, response.status, answer)
    return answer
