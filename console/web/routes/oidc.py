"""Serves the login through an identity provider: the redirect to it, and the return from there."""

import time

from litestar import get

from console.login.oidc import ATTEMPT_S, Attempt, OidcProvider, OidcRefused
from console.web.gate import ViewerSession, local_path
from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.routes.http import see_other
from console.web.routes.login import LoginRoutes
from console.web.routes.responder import Responder
from runtime.json_value import JsonValue
from runtime.logging import log

COOKIE = "hookstream_oidc"


class OidcRoutes:
    """Makes the route handlers of the login through `provider`."""

    def __init__(self, responder: Responder, login: LoginRoutes, provider: OidcProvider) -> None:
        self._responder = responder
        self._login = login
        self._gate = responder.gate
        self._provider = provider

    def handlers(self) -> list[JsonValue]:
        """Return the route handlers of `/login/oidc` and `/login/oidc/callback`."""

        @get("/login/oidc")
        async def begin(request: AnyRequest) -> AnyResponse:
            return await self._responder.respond(request, None, lambda entry: self._begin(request, entry))

        @get("/login/oidc/callback")
        async def finish(request: AnyRequest) -> AnyResponse:
            return await self._responder.respond(request, None, lambda entry: self._finish(request, entry))

        return [begin, finish]

    def _begin(self, request: AnyRequest, entry: ViewerSession) -> AnyResponse:
        try:
            url, attempt = self._provider.begin(local_path(request.query_params.get("next")), int(time.time()))
        except OidcRefused as refused:
            return self._refuse(request, entry, str(refused))
        response = see_other(url)
        self._gate.set_private(request, response, COOKIE, self._gate.sessions.signed(attempt), ATTEMPT_S)
        return response

    def _finish(self, request: AnyRequest, entry: ViewerSession) -> AnyResponse:
        attempt = self._gate.sessions.unsigned(request.cookies.get(COOKIE, ""), Attempt)
        query = {name: str(values[0]) for name, values in request.query_params.dict().items()}
        try:
            identity = self._provider.finish(attempt, query, int(time.time()))
        except OidcRefused as refused:
            return self._refuse(request, entry, str(refused))
        if not identity.groups or attempt is None:
            log.warning("login.no_role", cause=identity.name)
            return self._login.form(request, entry, "login.oidc_no_role", 403)
        log.info("login.done", cause=identity.name)
        self._responder.end(entry.session)
        response = see_other(attempt.next)
        session = self._gate.sessions.open(int(time.time()), identity.name, groups=identity.groups)
        self._gate.set_session(request, response, session)
        self._gate.clear(response, COOKIE)
        return response

    def _refuse(self, request: AnyRequest, entry: ViewerSession, reason: str) -> AnyResponse:
        log.warning("login.failed", cause=reason)
        return self._login.form(request, entry, "login.oidc_failed", 401)
