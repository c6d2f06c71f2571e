"""Runs the console: `python -m console [run|migrate|clean|replay …|rebuild]`. One process: worker, API and clean-up."""

import asyncio
import signal
import sys
from functools import partial
from threading import Event

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar.types import ASGIApp

from console import app
from console.balance_stream import Live, Sockets
from console.handler import TOPICS, handle
from console.retention import Retention, forget
from console.settings import ConsoleSettings
from runtime import clock, logging, management, ports, shutdown
from runtime.health import Health
from runtime.logging import log
from runtime.postgres.engine import store_engine
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters.management_api import ManagementApi
from stream.replay import cli as verbs
from stream.replay.spec import ReplaySpec
from stream.store import migrate
from stream.worker.loop import Worker

SERVICE = "console"
CONSUMER = {"fetch.min.bytes": 200_000, "fetch.wait.max.ms": 400}
"""It reads every topic: each record would be a request of its own at low rates, and nobody waits for the log."""
HTTP1 = HTTP1Settings(header_read_timeout=5_000, max_buffer_size=65_536, keep_alive=True)
CLOSING_S = 2.0


def run(settings: ConsoleSettings) -> None:
    """Keep the log and answer questions until a signal asks to stop."""
    ports.check(settings.host, settings.port)
    store = store_engine(settings, SERVICE)
    codec = Codec(registry(settings))
    worker = Worker(SERVICE, TOPICS, handle, settings, store, codec, CONSUMER)
    worker.publishes_outcome = lambda _: False  # it watches: to tell what became of outcomes would never end
    health = Health()
    worker.watch(health)
    management.listen(settings, health, ManagementApi(SERVICE, store, codec).routes())
    questions = store_engine(settings, f"{SERVICE}-api")
    live = Live(questions, settings.session_url)
    sockets = Sockets(settings.console_sockets_per_token)
    application = app.create(settings.console_token, questions, live, health, sockets)
    uvloop.run(serve(settings, worker, application, live))


async def serve(settings: ConsoleSettings, worker: Worker, application: ASGIApp, live: Live) -> None:
    """Work and answer until a signal, or until one of the parts ends, which ends the others."""
    stop, asked = Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    server = _server(settings, application)
    working = loop.run_in_executor(None, worker.run, stop)
    serving = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(asked.wait())
    listening = asyncio.create_task(live.listen())
    _retention(settings).start(stop)
    log.info("console.listening", port=settings.port)
    await asyncio.wait({working, serving, waiting, listening}, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    shutdown.limit()
    stop.set()
    server.stop()  # type: ignore[no-untyped-call]
    for task in (waiting, listening):
        task.cancel()
    await asyncio.wait([serving], timeout=CLOSING_S)
    await working
    if not asked.is_set():
        sys.exit("the console's listener has ended")


def _server(settings: ConsoleSettings, application: ASGIApp) -> Server:
    return Server(
        application,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1,
        websockets=True,
        log_enabled=False,
    )


def _retention(settings: ConsoleSettings) -> Retention:
    return Retention(store_engine(settings, f"{SERVICE}-clean"), settings.console_retention_days)


def subject(settings: ConsoleSettings) -> ReplaySpec:
    """What a replay has to know: the log forgets, and a rebuilt one forgets the same."""
    before = clock.now() - settings.console_retention_days * clock.DAY_US
    untold = {"webhook_counts": "count = 0"}  # what was counted once: a replay may never have seen that status
    return ReplaySpec(SERVICE, SERVICE, TOPICS, handle, settle=partial(forget, before=before), unreplayed_rows=untold)


if __name__ == "__main__":
    settings = ConsoleSettings.read()
    logging.configure(SERVICE, settings.log_level)
    match sys.argv[1:]:
        case [] | ["run"]:
            run(settings)
        case ["migrate"]:
            migrate.upgrade(SERVICE, settings.session_url)
        case ["clean"]:
            _retention(settings).clean_up(clock.now())
        case [verb, *_] if verb in verbs.VERBS:
            verbs.main(subject(settings), settings, sys.argv[1:])
        case _:
            sys.exit("usage: python -m console [run|migrate|clean|replay …|rebuild]")
