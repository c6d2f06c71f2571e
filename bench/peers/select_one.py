"""The limit for the console's pages: a page of `SELECT 1` by the same server, framework and pool as the console's.

`python -m bench.peers.select_one PORT DATABASE_URL`
"""

import asyncio
import sys

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from litestar import Litestar, Response, get
from sqlalchemy import Engine

from runtime.postgres.engine import engine

PAGE = "<!doctype html><title>One</title><h1>{}</h1>"


def application(store: Engine) -> Litestar:
    """Return the application with its only page, `/`."""

    @get("/", sync_to_thread=True)
    def page() -> Response[str]:
        with store.connect() as tx:
            return Response(PAGE.format(tx.exec_driver_sql("SELECT 1").scalar_one()), media_type="text/html")

    return Litestar([page], openapi_config=None, logging_config=None)


async def serve(port: int, database_url: str) -> None:
    """Serve until killed."""
    server = Server(
        application(engine(database_url, service="select-one")),
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    await asyncio.ensure_future(server.serve())


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
