"""The services' management listeners, with the addresses and the token of this command line's environment."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from cli import environment
from local.messages import CommandError
from runtime.clients.management_client import ManagementClient, ServiceRefused, ServiceUnreachable
from runtime.json_value import JsonValue


class ServiceRefusal(CommandError):
    """A service refused a request: the HTTP status, the error code for programs, and the message for people."""

    def __init__(self, refused: ServiceRefused) -> None:
        super().__init__(str(refused))
        self.service = refused.service
        self.status = refused.status
        self.error = refused.error
        self.message = refused.message


def get(service: str, path: str, **query: object) -> JsonValue:
    """Return the JSON at `path` of a service. Parameters that are None are left out.

    Raises ServiceRefusal when the service refuses, CommandError when it does not answer or is not configured here.
    """
    return _call(service, lambda client: client.get(service, path, **query))


def post(service: str, path: str, body: Mapping[str, object]) -> JsonValue:
    """Post `body` as JSON to `path` of a service and return its JSON response.

    Raises ServiceRefusal when the service refuses, CommandError when it does not answer or is not configured here.
    """
    return _call(service, lambda client: client.post(service, path, body))


def call_each(services: Iterable[str], call: Callable[[str], JsonValue]) -> tuple[dict[str, JsonValue], list[str]]:
    """Call every service, one after the other; return the responses by service, and an error text for each that failed.

    A service that answers 404 is in neither. Raises ServiceRefusal at the first 400: the request itself is wrong, so
    every service would refuse it.
    """
    responses: dict[str, JsonValue] = {}
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


def _call(service: str, call: Callable[[ManagementClient], JsonValue]) -> JsonValue:
    env, variable = environment.read(), f"{service.upper()}_MANAGEMENT_URL"
    environment.require(env, variable, "MANAGEMENT_TOKEN")
    try:
        return call(ManagementClient({service: env[variable]}, env["MANAGEMENT_TOKEN"]))
    except ServiceRefused as refused:
        raise ServiceRefusal(refused) from refused
    except ServiceUnreachable as failure:
        raise CommandError(str(failure)) from failure
