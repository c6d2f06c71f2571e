"""The limit for the gateway: a Litestar `@post` handler that answers at once, on the same server."""

import asyncio
import sys

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from litestar import Litestar, post


@post("/webhooks/payment", status_code=200)
async def accept(data: dict[str, object]) -> dict[str, str]:  # noqa: ARG001 - makes Litestar read the body
    """Answer 200 once the body is read."""
    return {"status": "success"}


async def serve(port: int) -> None:
    """Serve until killed."""
    application = Litestar([accept], openapi_config=None, logging_config=None)
    server = Server(
        application,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    await asyncio.ensure_future(server.serve())


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
