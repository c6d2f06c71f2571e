"""Client of the services' management listeners. Sends the management token and uses no HTTP proxy."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from runtime.clients import loopback
from runtime.confidential.urls import without_password
from runtime.json_value import JsonValue

TIMEOUT_S = 30.0


class ServiceRefused(Exception):
    """A service answered a request with another status than 200.

    `status` is that status, `error` the code for programs or None, `message` the sentence for people.
    """

    def __init__(self, service: str, status: int, response: Mapping[str, JsonValue]) -> None:
        self.message = str(response.get("message", status))
        super().__init__(f"The {service} refused the request: {self.message}")
        self.service = service
        self.status = status
        self.error = response.get("error")


class ServiceUnreachable(Exception):
    """A service does not answer, answers something other than JSON, or has no address in `ManagementClient.urls`."""


@dataclass(frozen=True, slots=True)
class ManagementClient:
    """Sends requests to the listeners in `urls`, by the name of the service, with `token` as bearer token."""

    urls: Mapping[str, str]
    token: str | None
    timeout_s: float = TIMEOUT_S

    def get(self, service: str, path: str, **query: object) -> JsonValue:
        """Return the JSON at `path` of a service. `query` becomes the query string; values that are None are left out.

        Raises ServiceRefused when the service refuses, ServiceUnreachable when it does not answer.
        """
        encoded = urlencode({name: value for name, value in query.items() if value is not None})
        target = f"{path}?{encoded}" if encoded else path
        return self._json(service, lambda url: self._get(url + target))

    def post(self, service: str, path: str, body: Mapping[str, object]) -> JsonValue:
        """Post `body` as JSON to `path` of a service and return its JSON response.

        Raises ServiceRefused when the service refuses, ServiceUnreachable when it does not answer.
        """
        content = json.dumps(body).encode()
        return self._json(
            service, lambda url: loopback.post(url + path, content, token=self.token, timeout_s=self.timeout_s)
        )

    def read(self, service: str, path: str) -> loopback.Response:
        """Return the response to a GET of `path`, whatever its status and format, such as the text of `/metrics`.

        Raises ServiceUnreachable when the service does not answer.
        """
        return self._response(service, lambda url: self._get(url + path))

    def _get(self, url: str) -> loopback.Response:
        return loopback.get(url, token=self.token, timeout_s=self.timeout_s)

    def _json(self, service: str, send: Callable[[str], loopback.Response]) -> JsonValue:
        response = self._response(service, send)
        try:
            answer = response.json()
        except ValueError as failure:
            raise self._unreachable(service, failure) from failure
        if response.status != HTTPStatus.OK:
            raise ServiceRefused(service, response.status, answer)
        return answer

    def _response(self, service: str, send: Callable[[str], loopback.Response]) -> loopback.Response:
        if service not in self.urls:
            raise ServiceUnreachable(f"The address of the {service}'s management listener is not configured.")
        try:
            return send(self.urls[service].rstrip("/"))
        except (OSError, ValueError) as failure:
            raise self._unreachable(service, failure) from failure

    def _unreachable(self, service: str, failure: Exception) -> ServiceUnreachable:
        address = without_password(self.urls[service])
        return ServiceUnreachable(f"The {service} at {address} does not answer: {failure}")
