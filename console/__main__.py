"""Run the console: `python -m console [run|migrate|clean|replay …|rebuild]`. One process: worker, API, clean-up."""

import asyncio
import getpass
import signal
import sys
from functools import partial
from threading import Event

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar.types import ASGIApp
from sqlalchemy import Connection

from console import app
from console.alerts import store as alert_store
from console.alerts.channels import channels
from console.alerts.conditions import Conditions
from console.alerts.watcher import Watcher
from console.api.balance_stream import BalanceStream, Sockets
from console.handler import handle
from console.login import ended_sessions, failed_logins, passwords
from console.pages.overview import wrong_signatures
from console.pages.site import SERVICE_TIMEOUT_S, Site, addresses
from console.retention import Retention, forget
from console.settings import ConsoleSettings
from console.web.action_log import ActionLog
from console.web.records import Records
from runtime import clock, ports, shutdown
from runtime.clients.management_client import ManagementClient
from runtime.health import Health
from runtime.logging import log
from runtime.management import listener
from runtime.postgres.engine import store_engine
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters.management_api import ManagementApi
from stream.events import topics
from stream.kafka.cluster import Cluster
from stream.replay.spec import ReplaySpec
from stream.service import Service
from stream.worker.loop import Worker
from stream.worker.pause_api import PauseApi
from stream.worker.replay_api import ReplayApi

TOPICS = topics.service("console")
HTTP1 = HTTP1Settings(header_read_timeout=5_000, max_buffer_size=65_536, keep_alive=True)
CLOSING_S = 2.0
"""How long open connections have to end at a shutdown."""


def run(settings: ConsoleSettings) -> None:
    """Run the console: write the log, serve API and pages, until SIGTERM or SIGINT.

    Exit with an error when the worker, the listener or the balance stream ends by itself.
    """
    ports.check(settings.host, settings.port)
    store = store_engine(settings, TOPICS.name)
    codec = Codec(registry(settings))
    worker = Worker(TOPICS, handle, settings, store, codec)
    health = Health()
    worker.watch(health)
    failed, pauses = ManagementApi(TOPICS.name, store, codec), PauseApi(TOPICS.name, store)
    replays = ReplayApi(TOPICS.name, TOPICS.package, store)
    listener.listen(settings, health, {**failed.routes(), **pauses.routes(), **replays.routes()})
    api_store = store_engine(settings, f"{TOPICS.name}-api")
    stream = BalanceStream(api_store, settings.session_url)
    sockets = Sockets(settings.console_sockets_per_token)
    cluster = Cluster.of(settings, TOPICS.name)
    site = Site(settings, api_store, ActionLog(cluster, codec), Records(cluster, codec, settings.mode))
    application = app.create(settings.console_token, api_store, stream, health, sockets, site)
    uvloop.run(serve(settings, worker, application, stream))


async def serve(settings: ConsoleSettings, worker: Worker, application: ASGIApp, stream: BalanceStream) -> None:
    """Run worker, API and pages, balance stream, clean-up and alerts until SIGTERM or SIGINT; then stop them.

    When the worker, the listener or the balance stream ends before a signal, the others are stopped too. An error of
    the worker is raised; otherwise SystemExit is.
    """
    stop, signalled = Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    server = _server(settings, application)
    worker_task = loop.run_in_executor(None, worker.run, stop)
    server_task = asyncio.create_task(server.serve())
    signal_task = asyncio.create_task(signalled.wait())
    stream_task = asyncio.create_task(stream.listen())
    _retention(settings).start(stop)
    alert_watcher(settings).start(stop)
    log.info("console.listening", port=settings.port)
    await asyncio.wait({worker_task, server_task, signal_task, stream_task}, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    shutdown.limit()
    stop.set()
    server.stop()  # type: ignore[no-untyped-call]
    for task in (signal_task, stream_task):
        task.cancel()
    await asyncio.wait([server_task], timeout=CLOSING_S)
    await worker_task
    if not signalled.is_set():
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


def alert_watcher(settings: ConsoleSettings) -> Watcher:
    """Return the watcher of alerts, not yet started, with an engine of its own."""
    client = ManagementClient(addresses(settings.management_urls), settings.management_token, SERVICE_TIMEOUT_S)
    return Watcher(
        store_engine(settings, f"{TOPICS.name}-alerts"),
        Conditions(settings.thresholds, client, wrong_signatures.alert_texts),
        channels(settings, client),
        check_s=settings.alert_check_s,
        interval_s=settings.alert_interval_s,
    )


def _retention(settings: ConsoleSettings) -> Retention:
    return Retention(store_engine(settings, f"{TOPICS.name}-clean"), settings.console_retention_days)


def replay_spec(settings: ConsoleSettings) -> ReplaySpec:
    """Return the replay spec of the console; a replay deletes old dead-lettered webhooks, as the live clean-up does."""
    before = clock.now() - settings.console_retention_days * clock.DAY_US
    # A replay may never see a status whose count has fallen to 0.
    tables = ("redrives", ended_sessions.TABLE, failed_logins.TABLE, *alert_store.TABLES)
    unreplayed = {"webhook_counts": "count = 0", "daily_amounts": "amount = 0"} | dict.fromkeys(tables, "true")
    clean_up = partial(forget, before=before)
    return ReplaySpec(TOPICS, handle, on_finish=clean_up, carry_over=carry_over, unreplayed_rows=unreplayed)


def carry_over(tx: Connection, live: str) -> None:
    """Copy alerts, messages, ended sessions and failed logins, which no topic holds, from schema `live`."""
    alert_store.carry_over(tx, live)
    ended_sessions.carry_over(tx, live)
    failed_logins.carry_over(tx, live)


def clean(settings: ConsoleSettings) -> None:
    """Clean up the log once and return: the command `clean`."""
    _retention(settings).clean_up(clock.now())


def print_hash() -> None:
    """Read a password from the terminal, or the first line of standard input, and print its hash for CONSOLE_USERS.

    Exit with an error when the password is too short.
    """
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        sys.stdout.write(f"{passwords.make_hash(password)}\n")
    except ValueError as wrong:
        sys.exit(str(wrong))


SERVICE = Service(TOPICS, ConsoleSettings, run, replay_spec, {"clean": clean})

if __name__ == "__main__":
    if sys.argv[1:] == ["hash-password"]:  # no Service command: a hash needs no settings
        print_hash()
    else:
        SERVICE.main()
