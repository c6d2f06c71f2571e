"""Serves the login with a password, the logout, and the choice of language and time zone."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence

from litestar import get, post

from console.login import failed_logins, users
from console.web.acting import CSRF_FIELD
from console.web.gate import SESSION, ViewerSession, local_path
from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.routes.http import form_lists, see_other
from console.web.routes.responder import Responder
from runtime.http import client_address
from runtime.http.client_address import Network
from runtime.json_value import JsonValue
from runtime.logging import log

MAX_BYTES = 16_384
MAX_PASSWORD_CHARS = 1_000
CHECKS_AT_ONCE = 2
"""The most passwords that are checked at the same time: Argon2 needs 19 MiB for each."""


class LoginRoutes:
    """Makes the route handlers of login, logout and preferences.

    `oidc_name` is the text of the button for the identity provider, empty without one. Failed logins count by the
    address of the request, or the address that one of `proxies` names.
    """

    def __init__(self, responder: Responder, oidc_name: str, proxies: Sequence[Network]) -> None:
        self._responder = responder
        self._gate = responder.gate
        self._oidc_name = oidc_name
        self._proxies = proxies
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)

    def handlers(self) -> list[JsonValue]:
        """Return the route handlers of `/login`, `/logout` and `/preferences`."""

        @get("/login")
        async def show(request: AnyRequest) -> AnyResponse:
            return await self._responder.respond(request, None, lambda entry: self.form(request, entry))

        @post("/login", status_code=200, request_max_body_size=MAX_BYTES)
        async def login(request: AnyRequest) -> AnyResponse:
            fields = await _fields(request)
            async with self._checks:
                return await self._responder.respond(request, None, lambda entry: self._login(request, fields, entry))

        @post("/logout", status_code=200, request_max_body_size=MAX_BYTES)
        async def logout(request: AnyRequest) -> AnyResponse:
            fields = await _fields(request)
            return await self._responder.respond(request, None, lambda entry: self._logout(request, fields, entry))

        @post("/preferences", status_code=200, request_max_body_size=MAX_BYTES)
        async def preferences(request: AnyRequest) -> AnyResponse:
            fields = await _fields(request)
            return await self._responder.respond(
                request, None, lambda entry: self._set_preferences(request, fields, entry)
            )

        return [show, login, logout, preferences]

    def form(
        self, request: AnyRequest, entry: ViewerSession, problem: str = "", status: int = 200, **values: object
    ) -> AnyResponse:
        """Return the form to log in; for a viewer who has logged in already, a redirect to the page that `next` names.

        `problem` is the key of the text that says what was wrong, empty if nothing was; `values` are those of the text.
        """
        next_path = local_path(request.query_params.get("next"))
        if entry.viewer.name:
            return see_other(next_path)
        context = {
            "next": next_path,
            "problem": problem,
            "values": values,
            "oidc": self._oidc_name,
            "has_users": bool(self._gate.users),
        }
        response = self._responder.render(entry, "login.html", context)
        response.status_code = status
        return response

    def _login(self, request: AnyRequest, fields: Mapping[str, str], entry: ViewerSession) -> AnyResponse:
        if not self._permits(entry, fields):
            return self.form(request, entry, "login.expired", 403)
        name, address, store = fields.get("user", "").strip()[:100], self._address(request), self._responder.store
        with store.connect() as tx:
            wait = failed_logins.wait(tx, name, address)
        if wait > 0:
            log.warning("login.limited", cause=name)
            response = self.form(request, entry, "login.limited", 429, minutes=math.ceil(wait / 60))
            response.set_header("Retry-After", str(math.ceil(wait)))
            return response
        user = users.authenticate(self._gate.users, name, fields.get("password", "")[:MAX_PASSWORD_CHARS])
        if user is None:
            with store.begin() as tx:
                failed_logins.record_failure(tx, name, address)
            log.warning("login.failed", cause=name)
            return self.form(request, entry, "login.wrong", 401)
        with store.begin() as tx:
            failed_logins.record_success(tx, name, address)
        log.info("login.done", cause=name)
        self._responder.end(entry.session)
        response = see_other(local_path(fields.get("next")))
        session = self._gate.sessions.open(int(time.time()), user.name, user.mark)
        self._gate.set_session(request, response, session)
        return response

    def _logout(self, request: AnyRequest, fields: Mapping[str, str], entry: ViewerSession) -> AnyResponse:
        if not self._permits(entry, fields):
            return self._responder.error(entry, 403, "csrf")
        self._responder.end(entry.session)
        response = see_other("/login")
        self._gate.clear(response, SESSION)
        return response

    def _set_preferences(self, request: AnyRequest, fields: Mapping[str, str], entry: ViewerSession) -> AnyResponse:
        if not self._permits(entry, fields):
            return self._responder.error(entry, 403, "csrf")
        response = see_other(local_path(fields.get("back")))
        self._gate.set_preferences(request, response, fields)
        return response

    def _address(self, request: AnyRequest) -> str:
        """Return the address, or network, by which a person's attempts are counted."""
        peer = request.client.host if request.client else ""
        headers = list(request.scope["headers"])
        return client_address.rate_limit_key(client_address.source(peer, headers, self._proxies))

    def _permits(self, entry: ViewerSession, fields: Mapping[str, str]) -> bool:
        return self._gate.sessions.permits(entry.session, fields.get(CSRF_FIELD, ""))


async def _fields(request: AnyRequest) -> dict[str, str]:
    return {name: values[0] for name, values in (await form_lists(request)).items()}
