"""The console's application: every question, live balances, health. With a token; it changes nothing."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import unquote

from litestar import Litestar, Request, Response, WebSocket, get, websocket
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, ExceptionHandlersMap, Guard
from sqlalchemy import Engine, exc

from console import access
from console.api import query_params
from console.api.endpoints import QUESTIONS, Ambiguous, Question
from console.api.query_params import BadParameter
from console.balance_stream import Live, Sockets, TooManySockets
from runtime.health import Health
from runtime.logging import log

Asking = Request[Any, Any, Any]
CAUSES = {401: "unauthorized", 404: "not_found", 405: "method_not_allowed"}
TRY_AGAIN_LATER = 1013  # RFC 6455's registry of close codes


def create(token: str, log_store: Engine, live: Live, health: Health, sockets: Sockets) -> ASGIApp:
    """The ASGI application.

    It finds its routes by the path as it was sent, still escaped: an order may be called `2026/0001`.
    """
    opens = _opens(token)
    questions = [_question(path, question, log_store, opens) for path, question in QUESTIONS.items()]
    routes = Litestar(
        [*questions, _balances(token, live, sockets), *_health(health)],
        openapi_config=None,
        logging_config=None,
        exception_handlers=ERRORS,
    )

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("raw_path"):
            scope["path"] = scope["raw_path"].decode("ascii", "replace")
        await routes(scope, receive, send)

    return application


def _question(path: str, question: Question, log_store: Engine, opens: Guard) -> Any:
    """Answers one question, reading the store in a thread of its own."""

    @get(path, sync_to_thread=True, guards=[opens], response_headers={"Cache-Control": "no-store"})
    def answer(request: Asking) -> dict[str, Any]:
        with log_store.connect() as tx:
            told = question(tx, request.query_params.dict(), *map(unquote, request.path_params.values()))
        if told is None:
            raise NotFoundException("the log has nothing under this id")
        return told

    return answer


def _opens(token: str) -> Guard:
    def opens(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if not access.permits(token, access.token(connection.headers.get("authorization", ""))):
            raise NotAuthorizedException("send the console's token as a bearer token")

    return opens


def _balances(token: str, live: Live, sockets: Sockets) -> Any:
    """A browser cannot send a header with a WebSocket, so its token may stand in the URL."""

    @websocket("/ws/customers/{customer_id:str}/balance")
    async def balances(socket: WebSocket[Any, Any, Any], customer_id: str) -> None:
        customer_id = unquote(customer_id)
        given = access.token(socket.headers.get("authorization", ""), socket.query_params.get("token", ""))
        if not access.permits_balance(token, given, query_params.name(customer_id)):
            raise NotAuthorizedException("send the console's token, or this customer's own")
        await socket.accept()
        try:
            with sockets.one(given):
                await _send(socket, live, customer_id)
        except TooManySockets:
            log.warning("balances.too_many", count=sockets.most)
            await socket.close(TRY_AGAIN_LATER, "too many are open with this token")

    return balances


async def _send(socket: WebSocket[Any, Any, Any], live: Live, customer_id: str) -> None:
    """Send until either side goes away; what a screen says is not listened to."""

    async def speak() -> None:
        async with aclosing(live.balances(customer_id)) as messages:
            async for message in messages:
                await socket.send_json(message)

    async def hear() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            continue

    speaking, hearing = asyncio.create_task(speak()), asyncio.create_task(hear())
    done, _ = await asyncio.wait({speaking, hearing}, return_when=asyncio.FIRST_COMPLETED)
    speaking.cancel()
    hearing.cancel()
    await asyncio.gather(speaking, hearing, return_exceptions=True)
    if speaking in done and hearing not in done:
        log.warning("balances.failed", error=f"{type(speaking.exception()).__name__}")
        await socket.close(TRY_AGAIN_LATER)


def _health(health: Health) -> list[Any]:
    @get("/health/live", sync_to_thread=False)
    def alive() -> Response[dict[str, list[str]]]:
        return _state(health.problems_of_life())

    @get("/health/ready", sync_to_thread=False)
    def ready() -> Response[dict[str, list[str]]]:
        return _state(health.problems())

    return [alive, ready]


def _state(problems: list[str]) -> Response[dict[str, list[str]]]:
    return Response({"problems": problems}, status_code=503 if problems else 200)


def _bad(_: Asking, wrong: BadParameter) -> Response[Mapping[str, str]]:
    return _error(400, "invalid_parameter", str(wrong))


def _several(_: Asking, wrong: Ambiguous) -> Response[dict[str, Any]]:
    return Response({"error": "ambiguous", "message": str(wrong), "webhooks": wrong.webhooks}, status_code=409)


def _http(_: Asking, wrong: HTTPException) -> Response[Mapping[str, str]]:
    return _error(wrong.status_code, CAUSES.get(wrong.status_code, "invalid_request"), wrong.detail)


def _away(_: Asking, failure: Exception) -> Response[Mapping[str, str]]:
    log.warning("store.failed", error=str(getattr(failure, "orig", failure)).strip())
    return _error(503, "unavailable", "the console's store does not answer, please ask again")


def _fault(_: Asking, failure: Exception) -> Response[Mapping[str, str]]:
    log.error("console.failed", error=f"{type(failure).__name__}: {failure}")
    return _error(500, "internal", "the console has failed; its log says why")


def _error(status: int, cause: str, message: str) -> Response[Mapping[str, str]]:
    return Response({"error": cause, "message": message}, status_code=status)


ERRORS: ExceptionHandlersMap = {
    BadParameter: _bad,
    Ambiguous: _several,
    HTTPException: _http,
    exc.OperationalError: _away,
    exc.TimeoutError: _away,
    Exception: _fault,
}
