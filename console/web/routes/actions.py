"""Serves actions: checks the CSRF token, lets `acting` carry out and record the action, and shows the result."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from litestar import Response, post

from console.web import acting
from console.web.action_log import ActionLog, NotRecorded
from console.web.gate import Flash, ViewerSession, local_path
from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.page import Action, ActionResult, Done, Download, Shown
from console.web.rendering.renderer import HEADERS, html
from console.web.routes.http import form_lists, see_other
from console.web.routes.responder import Responder
from runtime.json_value import JsonValue

MAX_FORM_BYTES = 1_000_000


class ActionRoutes:
    """Makes the route handlers of actions."""

    def __init__(self, responder: Responder, action_log: ActionLog) -> None:
        self._responder = responder
        self._action_log = action_log

    def action(self, action: Action) -> JsonValue:
        """Return the route handler of an action."""

        @post(action.path, status_code=200, request_max_body_size=MAX_FORM_BYTES)
        async def answer(request: AnyRequest) -> AnyResponse:
            form = await form_lists(request)
            act = partial(self._act, action, request, form)
            return await self._responder.respond(request, action.role, act)

        return answer

    def _act(
        self, action: Action, request: AnyRequest, form: Mapping[str, tuple[str, ...]], entry: ViewerSession
    ) -> AnyResponse:
        first = {name: values[0] for name, values in form.items()}
        if not self._responder.gate.sessions.permits(entry.session, first.get(acting.CSRF_FIELD, "")):
            return self._responder.error(entry, 403, "csrf")
        page_request = self._responder.page_request(request, entry, first, form)
        back = local_path(first.get(acting.BACK_FIELD))
        try:
            result = acting.perform(action, page_request, self._action_log, self._responder.store)
        except NotRecorded:
            return self._responder.error(entry, 503, "unrecorded")
        except acting.NotDone as not_done:
            response = see_other(back)
            self._responder.gate.set_flash(request, response, Flash(not_done.key, not_done.values, bad=True))
            return response
        return self._shown(request, entry, result, back)

    def _shown(self, request: AnyRequest, entry: ViewerSession, result: ActionResult, back: str) -> AnyResponse:
        match result:
            case Done(location, message, values):
                response = see_other(location)
                shown = {name: str(value) for name, value in values.items()}
                self._responder.gate.set_flash(request, response, Flash(message, shown))
                return response
            case Shown(template, context, section):
                own = {"section": section, "path": back}
                return html(self._responder.renderer.render(template, entry.viewer, {**own, **context}))
            case Download(name, content, content_type):
                disposition = f"attachment; filename*=UTF-8''{quote(name)}"
                headers = {**HEADERS, "Content-Disposition": disposition}
                return Response(content, media_type=content_type, headers=headers)
