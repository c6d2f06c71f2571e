"""The console's ASGI application: the API and live balances, which need a token; health, without one; and the pages."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import Any
from urllib.parse import unquote

from litestar import Litestar, Response, get, websocket
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, ExceptionHandlersMap, Guard
from sqlalchemy import Engine, exc

from console.api import access, query_params
from console.api.balance_stream import BalanceStream, Sockets, TooManySockets
from console.api.endpoints import ENDPOINTS, Ambiguous, Endpoint
from console.pages.site import Site
from console.queries.criteria import BadParameter
from console.web.litestar_types import AnyConnection, AnyRequest, AnyResponse, AnySocket
from console.web.routes.head import with_head
from runtime.health import Health
from runtime.logging import log
from runtime.postgres.engine import failure_message

CAUSES = {401: "unauthorized", 404: "not_found", 405: "method_not_allowed"}
"""The error code of the API by HTTP status; `invalid_request` for others."""
PROGRAMS = ("/api/", "/ws/", "/health/")
"""The beginnings of paths that are answered with JSON even if they do not exist."""
TRY_AGAIN_LATER = 1013  # RFC 6455's registry of close codes


def create(
    token: str, log_store: Engine, stream: BalanceStream, health: Health, sockets: Sockets, site: Site
) -> ASGIApp:
    """Return the ASGI application. `token` is CONSOLE_TOKEN, which API and WebSockets need; the pages need a login.

    Routes match the path as it was sent, still escaped, because an order id may contain a slash, as in `2026/0001`.
    """
    guard = _token_guard(token)
    endpoint_routes = [_endpoint(path, endpoint, log_store, guard) for path, endpoint in ENDPOINTS.items()]
    routes = Litestar(
        [*endpoint_routes, _balances(token, stream, sockets), *_health(health), *site.handlers],
        openapi_config=None,
        logging_config=None,
        exception_handlers={**ERRORS, NotFoundException: partial(_not_found, site)},
    )

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("raw_path"):
            scope["path"] = scope["raw_path"].decode("ascii", "replace")
        await routes(scope, receive, send)

    return with_head(application)


def _endpoint(path: str, endpoint: Endpoint, log_store: Engine, guard: Guard) -> Any:
    """Return a route that calls `endpoint` in a thread, with a connection to the store."""

    @get(path, sync_to_thread=True, guards=[guard], response_headers={"Cache-Control": "no-store"})
    def answer(request: AnyRequest) -> dict[str, object]:
        with log_store.connect() as tx:
            response = endpoint(tx, request.query_params.dict(), *map(unquote, request.path_params.values()))
        if response is None:
            raise NotFoundException("the log has no entry with this id")
        return response

    return answer


def _token_guard(token: str) -> Guard:
    def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        if not access.permits(token, access.token(connection.headers.get("authorization", ""))):
            raise NotAuthorizedException("send the console's token as a bearer token")

    return guard


def _balances(token: str, stream: BalanceStream, sockets: Sockets) -> Any:
    """Return the WebSocket route. Browsers cannot set headers on WebSockets, so the URL may hold the token."""

    @websocket("/ws/customers/{customer_id:str}/balance")
    async def balances(socket: AnySocket, customer_id: str) -> None:
        customer_id = unquote(customer_id)
        token_given = access.token(socket.headers.get("authorization", ""), socket.query_params.get("token", ""))
        if not access.permits_balance(token, token_given, query_params.checked_id(customer_id)):
            raise NotAuthorizedException("send the console's token or this customer's token")
        await socket.accept()
        try:
            with sockets.open(token_given):
                await _send(socket, stream, customer_id)
        except TooManySockets:
            log.warning("balances.too_many", count=sockets.most)
            await socket.close(TRY_AGAIN_LATER, "too many connections are open with this token")

    return balances


async def _send(socket: AnySocket, stream: BalanceStream, customer_id: str) -> None:
    """Send balances until the client closes or sending fails; messages from the client are ignored."""

    async def send() -> None:
        async with aclosing(stream.balances(customer_id)) as messages:
            async for message in messages:
                await socket.send_json(message)

    async def wait_for_close() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            continue

    sending, closing = asyncio.create_task(send()), asyncio.create_task(wait_for_close())
    done, _ = await asyncio.wait({sending, closing}, return_when=asyncio.FIRST_COMPLETED)
    sending.cancel()
    closing.cancel()
    await asyncio.gather(sending, closing, return_exceptions=True)
    if sending in done and closing not in done:
        log.warning("balances.failed", error=f"{type(sending.exception()).__name__}")
        await socket.close(TRY_AGAIN_LATER)


def _health(health: Health) -> list[Any]:
    @get("/health/live", sync_to_thread=False)
    def alive() -> Response[dict[str, list[str]]]:
        return _state(health.liveness_problems())

    @get("/health/ready", sync_to_thread=False)
    def ready() -> Response[dict[str, list[str]]]:
        return _state(health.problems())

    return [alive, ready]


def _state(problems: list[str]) -> Response[dict[str, list[str]]]:
    return Response({"problems": problems}, status_code=503 if problems else 200)


def _bad_parameter(_: AnyRequest, error: BadParameter) -> Response[Mapping[str, str]]:
    return _error(400, "invalid_parameter", str(error))


def _ambiguous(_: AnyRequest, error: Ambiguous) -> Response[dict[str, object]]:
    return Response({"error": "ambiguous", "message": str(error), "webhooks": error.webhooks}, status_code=409)


def _not_found(site: Site, request: AnyRequest, error: NotFoundException) -> AnyResponse:
    """Answer a browser with a page, a program with JSON."""
    if request.url.path.startswith(PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
        return _http_error(request, error)
    return site.not_found(request)


def _http_error(_: AnyRequest, error: HTTPException) -> Response[Mapping[str, str]]:
    return _error(error.status_code, CAUSES.get(error.status_code, "invalid_request"), error.detail)


def _store_unavailable(_: AnyRequest, failure: Exception) -> Response[Mapping[str, str]]:
    log.warning("store.failed", error=failure_message(failure))
    return _error(503, "unavailable", "the console's store does not answer; try again")


def _internal_error(_: AnyRequest, failure: Exception) -> Response[Mapping[str, str]]:
    log.error("console.failed", error=f"{type(failure).__name__}: {failure}")
    return _error(500, "internal", "the console has failed; its log says why")


def _error(status: int, cause: str, message: str) -> Response[Mapping[str, str]]:
    return Response({"error": cause, "message": message}, status_code=status)


ERRORS: ExceptionHandlersMap = {
    BadParameter: _bad_parameter,
    Ambiguous: _ambiguous,
    HTTPException: _http_error,
    exc.OperationalError: _store_unavailable,
    exc.TimeoutError: _store_unavailable,
    Exception: _internal_error,
}
