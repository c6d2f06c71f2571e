"""Answers a request: with the response of its route if the viewer may see it, else with the login or an error page."""

import asyncio
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote

from sqlalchemy import Engine, exc

from console.login import ended_sessions
from console.login.sessions import Session
from console.login.users import Role
from console.queries.criteria import BadParameter
from console.web.gate import SESSION, Gate, ViewerSession, local_path
from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.page import PageRequest, Redirect
from console.web.rendering.renderer import Renderer, html
from console.web.routes.http import see_other, target
from console.web.services import Services
from runtime import clock
from runtime.json_value import JsonValue
from runtime.logging import log
from runtime.postgres.engine import failure_message

Respond = Callable[[ViewerSession], AnyResponse]
"""Makes the response for the session and viewer of a request. It runs in a thread, so it may wait for the store."""


class Responder:
    """The answers that all routes share. `configured` is False if nobody can log in: every page then says so (503)."""

    def __init__(self, gate: Gate, renderer: Renderer, store: Engine, services: Services, *, configured: bool) -> None:
        self.gate = gate
        self.renderer = renderer
        self.store = store
        self._services = services
        self._configured = configured

    async def respond(self, request: AnyRequest, role: Role | None, respond: Respond) -> AnyResponse:
        """Return the response of `respond` if the viewer has `role` (None: no login needed), with the session's cookie.

        Otherwise return a redirect to the login or an error page. An exception of `respond` becomes a redirect
        (Redirect) or an error page; none is raised.
        """
        return await asyncio.to_thread(self._respond, request, role, respond)

    def _respond(self, request: AnyRequest, role: Role | None, respond: Respond) -> AnyResponse:
        now = int(time.time())
        entry = self.gate.enter(request, now)
        try:
            if self.has_ended(entry.session):
                entry = self.gate.anonymous(request, now)
            response = self._refusal(request, entry, role) or respond(entry)
        except Redirect as elsewhere:
            response = see_other(elsewhere.location)
        except BadParameter as wrong:
            response = self.error(entry, 400, "bad_parameter", detail=str(wrong))
        except (exc.OperationalError, exc.TimeoutError) as failure:
            log.warning("store.failed", error=failure_message(failure))
            response = self.error(entry, 503, "unavailable")
        except Exception:  # noqa: BLE001 - a person gets a page whatever fails
            log.exception("page.failed", path=request.url.path)
            response = self.error(entry, 500, "internal")
        return self._with_session(request, entry, response)

    def has_ended(self, session: Session) -> bool:
        """Return whether a logout or an operator has ended the session, at any replica; False for one without a user.

        Reads the store, so it must not be called in the event loop.
        """
        if not session.user:
            return False
        with self.store.connect() as tx:
            return ended_sessions.has_ended(tx, session)

    def end(self, session: Session) -> None:
        """End a session at every replica, in a transaction of its own; one without a user stays as it is."""
        if session.user:
            with self.store.begin() as tx:
                ended_sessions.end(tx, session, int(time.time()))

    def error(self, entry: ViewerSession, status: int, cause: str, detail: str = "", **values: str) -> AnyResponse:
        """Return the page of an error: the texts `error.<cause>.title` and `.text` with `values`, and then `detail`."""
        context = {"status": status, "cause": cause, "detail": detail, "values": values}
        return html(self.renderer.render("error.html", entry.viewer, context), status)

    def render(self, entry: ViewerSession, template: str, context: Mapping[str, JsonValue]) -> AnyResponse:
        """Return a template as a page with status 200, for a page without a view."""
        return html(self.renderer.render(template, entry.viewer, context))

    def not_found(self, request: AnyRequest) -> AnyResponse:
        """Return the page for a path that does not exist (404), without a login too.

        This method runs in the event loop, so it does not read the store.
        """
        entry = self.gate.enter(request, int(time.time()))
        response = self._refusal(request, entry, None) or self.error(entry, 404, "not_found")
        return self._with_session(request, entry, response)

    def _with_session(self, request: AnyRequest, entry: ViewerSession, response: AnyResponse) -> AnyResponse:
        """Add the cookie of a session that is new or was refreshed, unless the response sets another."""
        if entry.is_new and not any(cookie.key == SESSION for cookie in response.cookies):
            self.gate.set_session(request, response, entry.session)
        return response

    def _refusal(self, request: AnyRequest, entry: ViewerSession, role: Role | None) -> AnyResponse | None:
        if not self._configured:
            return self.error(entry, 503, "unconfigured")
        if role is None or entry.viewer.may(role):
            return None
        if entry.viewer.name:
            return self.error(entry, 403, "forbidden", role=role)
        next_path = local_path(target(request)) if request.method == "GET" else "/"
        location = f"/login?next={quote(next_path)}"
        if request.headers.get("hx-request"):
            return html("", 401, headers={"HX-Redirect": location})
        return see_other(location)

    def page_request(
        self,
        request: AnyRequest,
        entry: ViewerSession,
        form: Mapping[str, str] | None = None,
        lists: Mapping[str, tuple[str, ...]] | None = None,
    ) -> PageRequest:
        """Return the request as a view or action gets it; `form` has the first value of each name, `lists` has all.

        A parameter of the query without a value is left out: a form sends one for each filter that was not filled in.
        Raises BadParameter for a value with a NUL character, which Postgres cannot store or compare.
        """
        given = {name: str(values[0]) for name, values in request.query_params.dict().items()}
        query = {name: value for name, value in given.items() if value.strip()}
        for name, value in (*query.items(), *((name, value) for name, all_ in (lists or {}).items() for value in all_)):
            if "\0" in value:
                raise BadParameter(f"{name} has a NUL character")
        ids = tuple(unquote(str(value)) for value in request.path_params.values())
        return PageRequest(
            entry.viewer,
            target(request),
            query,
            ids,
            clock.now(),
            self._services,
            form or {},
            lists or {},
            self.gate.may_have_sessions,
        )
