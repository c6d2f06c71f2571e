"""Serves pages, actions, live parts and static files; answers what goes wrong with a page."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from urllib.parse import quote, unquote

from litestar import Response, get, post
from litestar.response import ServerSentEvent
from sqlalchemy import Engine, exc

from console.login.users import Role
from console.queries.criteria import BadParameter
from console.web import acting
from console.web.action_log import ActionLog, NotRecorded
from console.web.gate import FLASH, Entry, Flash, Gate, local_path
from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.page import Action, Done, Download, Live, Page, PageRequest, Redirect, Shown
from console.web.rendering.assets import PREFIX, Assets
from console.web.rendering.renderer import HEADERS, Renderer, framed, html
from console.web.services import Services
from runtime import clock
from runtime.json_value import JsonValue
from runtime.logging import log

SEE_OTHER = 303
MAX_FORM_BYTES = 1_000_000
LIVE_INTERVAL_S = 2.0
LIVE_S = 600.0
"""A live connection ends after this time; the browser then opens the next, which checks the session again."""
MAX_LIVE = 200
KEEP_ALIVE_S = 15.0
YEAR_S = 365 * 24 * 3600
Respond = Callable[[Entry], AnyResponse]


class Routes:
    """The handlers of all pages. `configured` is False while nobody could log in."""

    def __init__(
        self,
        gate: Gate,
        renderer: Renderer,
        store: Engine,
        services: Services,
        action_log: ActionLog,
        *,
        configured: bool,
    ) -> None:
        self._gate = gate
        self._renderer = renderer
        self._store = store
        self._services = services
        self._action_log = action_log
        self._configured = configured
        self._live_count = 0

    def page(self, page: Page) -> JsonValue:
        """Return the handler of a page."""

        @get(page.path)
        async def answer(request: AnyRequest) -> AnyResponse:
            show = partial(self._show, page, request)
            return await asyncio.to_thread(self.respond, request, page.role, show)

        return answer

    def action(self, action: Action) -> JsonValue:
        """Return the handler of an action."""

        @post(action.path, status_code=200, request_max_body_size=MAX_FORM_BYTES)
        async def answer(request: AnyRequest) -> AnyResponse:
            form = await form_lists(request)
            act = partial(self._act, action, request, form)
            return await asyncio.to_thread(self.respond, request, action.role, act)

        return answer

    def live(self, live: Live) -> JsonValue:
        """Return the handler of a live part."""

        @get(live.path, media_type="text/event-stream")
        async def answer(request: AnyRequest) -> JsonValue:
            entry = self._gate.enter(request, int(time.time()))
            if not entry.viewer.may(live.role):
                return Response("", status_code=401)
            if self._live_count >= MAX_LIVE:
                return Response("", status_code=503, headers={"Retry-After": "10"})
            return ServerSentEvent(self._events(live, request, entry), headers=HEADERS, retry_duration=3000)

        return answer

    def respond(self, request: AnyRequest, role: Role | None, respond: Respond) -> AnyResponse:
        """Return the response, or the page of what is wrong. `role` None: for anybody."""
        entry = self._gate.enter(request, int(time.time()))
        try:
            response = self._refusal(request, entry, role) or respond(entry)
        except Redirect as elsewhere:
            response = see_other(elsewhere.location)
        except BadParameter as wrong:
            response = self.error(entry, 400, "bad_parameter", detail=str(wrong))
        except (exc.OperationalError, exc.TimeoutError) as failure:
            log.warning("store.failed", error=str(getattr(failure, "orig", failure)).strip())
            response = self.error(entry, 503, "unavailable")
        except Exception:  # noqa: BLE001 - a person gets a page whatever fails
            log.exception("page.failed", path=request.url.path)
            response = self.error(entry, 500, "internal")
        if entry.is_new and not any(cookie.key == "hookstream_session" for cookie in response.cookies):
            self._gate.set_session(request, response, entry.session)
        return response

    def error(self, entry: Entry, status: int, cause: str, detail: str = "", **values: str) -> AnyResponse:
        """Return the page of an error: the texts `error.<cause>.title` and `.text`."""
        context = {"status": status, "cause": cause, "detail": detail, "values": values}
        return html(self._renderer.render("error.html", entry.viewer, context), status)

    def render(self, entry: Entry, template: str, context: Mapping[str, JsonValue]) -> AnyResponse:
        """Return a page that needs no view."""
        return html(self._renderer.render(template, entry.viewer, context))

    def not_found(self, request: AnyRequest) -> AnyResponse:
        """Return the page for a path that does not exist."""
        return self.respond(request, None, lambda entry: self.error(entry, 404, "not_found"))

    def _refusal(self, request: AnyRequest, entry: Entry, role: Role | None) -> AnyResponse | None:
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

    def _show(self, page: Page, request: AnyRequest, entry: Entry) -> AnyResponse:
        fragment = page.fragment if request.headers.get("hx-request") else None
        with self._store.connect() as tx:
            context = page.view(tx, self._page_request(request, entry))
        if context is None:
            return self.error(entry, 404, "no_such_entry")
        own = {"section": page.section, "path": target(request), "flash": None if fragment else entry.flash}
        content = self._renderer.render(fragment or page.template, entry.viewer, {**own, **context})
        response = framed(content) if page.is_framed else html(content, frames=page.frames)
        if entry.flash and not fragment:
            self._gate.clear(response, FLASH)
        return response

    def _act(
        self, action: Action, request: AnyRequest, form: Mapping[str, tuple[str, ...]], entry: Entry
    ) -> AnyResponse:
        first = {name: values[0] for name, values in form.items()}
        if not self._gate.sessions.permits(entry.session, first.get(acting.CSRF_FIELD, "")):
            return self.error(entry, 403, "csrf")
        page_request = self._page_request(request, entry, first, form)
        back = local_path(first.get(acting.BACK_FIELD))
        try:
            result = acting.perform(action, page_request, self._action_log, self._store)
        except NotRecorded:
            return self.error(entry, 503, "unrecorded")
        except acting.NotDone as not_done:
            response = see_other(back)
            self._gate.set_flash(request, response, Flash(not_done.key, not_done.values, bad=True))
            return response
        match result:
            case Done(location, message, values):
                response = see_other(location)
                shown = {name: str(value) for name, value in values.items()}
                self._gate.set_flash(request, response, Flash(message, shown))
                return response
            case Shown(template, context, section):
                own = {"section": section, "path": back}
                return html(self._renderer.render(template, entry.viewer, {**own, **context}))
            case Download(name, content, content_type):
                disposition = f"attachment; filename*=UTF-8''{quote(name)}"
                headers = {**HEADERS, "Content-Disposition": disposition}
                return Response(content, media_type=content_type, headers=headers)

    async def _events(self, live: Live, request: AnyRequest, entry: Entry) -> AsyncGenerator[dict[str, str], None]:
        """Yield the part whenever it has changed, and a comment every KEEP_ALIVE_S."""
        self._live_count += 1
        try:
            began = spoke = time.monotonic()
            sent = None
            while time.monotonic() - began < LIVE_S:
                content = await asyncio.to_thread(self._part, live, request, entry)
                if content is not None and content != sent:
                    sent, spoke = content, time.monotonic()
                    yield {"data": content}
                elif time.monotonic() - spoke > KEEP_ALIVE_S:
                    spoke = time.monotonic()
                    yield {"comment": "still here"}
                await asyncio.sleep(LIVE_INTERVAL_S)
        finally:
            self._live_count -= 1

    def _part(self, live: Live, request: AnyRequest, entry: Entry) -> str | None:
        """Return the part as it is now; None if it cannot be made, and the browser keeps what it has."""
        try:
            with self._store.connect() as tx:
                context = live.view(tx, self._page_request(request, entry))
            return None if context is None else self._renderer.render(live.template, entry.viewer, context)
        except exc.SQLAlchemyError as failure:
            log.warning("store.failed", error=str(getattr(failure, "orig", failure)).strip())
        except Exception:  # noqa: BLE001 - an exception would end the stream without a word
            log.exception("page.failed", path=live.path)
        return None

    def _page_request(
        self,
        request: AnyRequest,
        entry: Entry,
        form: Mapping[str, str] | None = None,
        lists: Mapping[str, tuple[str, ...]] | None = None,
    ) -> PageRequest:
        query = {name: str(values[0]) for name, values in request.query_params.dict().items()}
        ids = tuple(unquote(str(value)) for value in request.path_params.values())
        return PageRequest(
            entry.viewer, target(request), query, ids, clock.now(), self._services, form or {}, lists or {}
        )


def static(assets: Assets) -> JsonValue:
    """Return the handler of static files. Their names change with their content, so browsers may keep them."""

    @get(PREFIX + "{name:str}", sync_to_thread=False)
    def answer(request: AnyRequest) -> AnyResponse:
        asset = assets.find(str(request.path_params["name"]))
        if asset is None:
            return Response("", status_code=404)
        headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(asset.content, media_type=asset.content_type, headers=headers)

    return answer


async def form_lists(request: AnyRequest) -> dict[str, tuple[str, ...]]:
    """Return all values of each name of a form; files are left out."""
    form = await request.form()
    return {name: tuple(v for v in form.getall(name) if isinstance(v, str)) or ("",) for name in form}


def target(request: AnyRequest) -> str:
    """Return the path and query of a request, as a link to this page."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def see_other(location: str) -> AnyResponse:
    """Return a redirect to a path, which the browser gets with GET."""
    return Response(
        "", status_code=SEE_OTHER, media_type="text/plain", headers={"Location": location, "Cache-Control": "no-store"}
    )
