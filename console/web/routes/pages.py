"""Serves pages, and the parts of them that htmx asks for."""

from functools import partial

from litestar import get

from console.web.gate import FLASH, ViewerSession
from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.page import Page
from console.web.rendering.renderer import framed, html
from console.web.routes.http import target
from console.web.routes.responder import Responder
from runtime.json_value import JsonValue


class PageRoutes:
    """Makes the route handlers of pages."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    def page(self, page: Page) -> JsonValue:
        """Return the route handler of a page."""

        @get(page.path)
        async def answer(request: AnyRequest) -> AnyResponse:
            show = partial(self._show, page, request)
            return await self._responder.respond(request, page.role, show)

        return answer

    def _show(self, page: Page, request: AnyRequest, entry: ViewerSession) -> AnyResponse:
        fragment = page.fragment if request.headers.get("hx-request") else None
        with self._responder.store.connect() as tx:
            context = page.view(tx, self._responder.page_request(request, entry))
        if context is None:
            return self._responder.error(entry, 404, "no_such_entry")
        own = {"section": page.section, "path": target(request), "flash": None if fragment else entry.flash}
        content = self._responder.renderer.render(fragment or page.template, entry.viewer, {**own, **context})
        response = framed(content) if page.is_framed else html(content, frames=page.frames)
        if entry.flash and not fragment:
            self._responder.gate.clear(response, FLASH)
        return response
