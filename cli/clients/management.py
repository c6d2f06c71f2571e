"""Client of the services' management listeners. It sends the management token."""

import http.client
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from cli import environment
from local.messages import CommandError

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
    return _request(service, "GET", f"{path}?{encoded}" if encoded else path, None)


def post(service: str, path: str, body: Mapping[str, object]) -> Any:
    """Post `body` as JSON to `path` of a service and return its JSON response.

    Raises ServiceRefusal when the service refuses, CommandError when it does not answer.
    """
    return _request(service, "POST", path, json.dumps(body).encode())


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
            if refusal.status == http.client.BAD_REQUEST:
                raise
            if refusal.status != http.client.NOT_FOUND:
                errors.append(str(refusal))
        except CommandError as error:
            errors.append(str(error))
    return responses, errors


def _request(service: str, method: str, target: str, body: bytes | None) -> Any:
    env, variable = environment.read(), f"{service.upper()}_MANAGEMENT_URL"
    environment.require(env, variable, "MANAGEMENT_TOKEN")
    headers = {"Authorization": f"Bearer {env['MANAGEMENT_TOKEN']}"}
    try:
        status, response = _exchange(env[variable], method, target, body, headers)
    except (OSError, http.client.HTTPException, ValueError) as failure:
        raise CommandError(f"The {service} at {env[variable]} does not answer: {failure}") from failure
    if status != http.client.OK:
        raise ServiceRefusal(service, status, response)
    return response


def _exchange(
    url: str, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    """Return status and JSON body. http.client ignores HTTP_PROXY, which must not be used for loopback addresses."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        connection.request(method, f"{address.path.rstrip('/')}{target}", body, dict(headers))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
