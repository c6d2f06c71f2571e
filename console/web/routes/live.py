"""Serves live parts: sends a part as a server-sent event whenever it has changed."""

import asyncio
import time
from collections.abc import AsyncGenerator

from litestar import Response, get
from litestar.response import ServerSentEvent
from sqlalchemy import exc

from console.web.gate import ViewerSession
from console.web.litestar_types import AnyRequest
from console.web.page import Live
from console.web.rendering.renderer import HEADERS
from console.web.routes.responder import Responder
from runtime.json_value import JsonValue
from runtime.logging import log
from runtime.postgres.engine import failure_message

LIVE_INTERVAL_S = 2.0
"""The time between two renderings of a part."""
LIVE_S = 600.0
"""The time after which a live connection ends; the browser then opens the next."""
MAX_LIVE = 200
"""The most live connections of this process."""
KEEP_ALIVE_S = 15.0


class LiveRoutes:
    """Makes the route handlers of live parts."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._live_count = 0

    def live(self, live: Live) -> JsonValue:
        """Return the route handler of a live part."""

        @get(live.path, media_type="text/event-stream")
        async def answer(request: AnyRequest) -> JsonValue:
            entry = self._responder.gate.enter(request, int(time.time()))
            if not entry.viewer.may(live.role) or await asyncio.to_thread(self._has_ended, entry):
                return Response("", status_code=401)
            if self._live_count >= MAX_LIVE:
                return Response("", status_code=503, headers={"Retry-After": "10"})
            return ServerSentEvent(self._events(live, request, entry), headers=HEADERS, retry_duration=3000)

        return answer

    async def _events(
        self, live: Live, request: AnyRequest, entry: ViewerSession
    ) -> AsyncGenerator[dict[str, str], None]:
        """Yield the part whenever it has changed, and a comment every KEEP_ALIVE_S."""
        self._live_count += 1
        try:
            began = spoke = time.monotonic()
            sent = None
            while time.monotonic() - began < LIVE_S and not await asyncio.to_thread(self._has_ended, entry):
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

    def _has_ended(self, entry: ViewerSession) -> bool:
        """Return whether the viewer's session has been ended; False while the store does not answer.

        A browser does not reconnect after a refusal, so a short failure of the store must not end the connection.
        """
        try:
            return self._responder.has_ended(entry.session)
        except exc.SQLAlchemyError as failure:
            log.warning("store.failed", error=failure_message(failure))
            return False

    def _part(self, live: Live, request: AnyRequest, entry: ViewerSession) -> str | None:
        """Return the HTML of the part as it is now; None if it cannot be rendered: the browser keeps the last one."""
        try:
            with self._responder.store.connect() as tx:
                context = live.view(tx, self._responder.page_request(request, entry))
            return None if context is None else self._responder.renderer.render(live.template, entry.viewer, context)
        except exc.SQLAlchemyError as failure:
            log.warning("store.failed", error=failure_message(failure))
        except Exception:  # noqa: BLE001 - an exception would end the stream without a word
            log.exception("page.failed", path=live.path)
        return None
