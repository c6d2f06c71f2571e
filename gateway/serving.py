"""Serves the gateway in one process: makes its parts, and runs them until a stop signal or a permanent failure."""

import asyncio
import resource
import signal
import sys
from collections.abc import Coroutine, MutableMapping
from contextlib import suppress
from threading import Event

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from gateway import app
from gateway.append.appender import Appender
from gateway.append.drain import Drain
from gateway.append.durable_append import DurableAppend
from gateway.append.readiness import Readiness
from gateway.append.spool import Spool
from gateway.append.topic_watch import TopicWatch
from gateway.http.guard import Application
from gateway.intake.authentication import Authentication
from gateway.intake.catch_up import CatchUp
from gateway.intake.provider_states import UNREAD, ProviderStates
from gateway.intake.release import Release
from gateway.intake.resumption import Resumption
from gateway.intake.webhooks import WebhookEndpoint
from gateway.management.api import ManagementApi
from gateway.settings import GatewaySettings
from runtime import gc_tuning
from runtime.health import Health
from runtime.logging import log
from runtime.management.routes import RouteHandler
from stream.avro.codec import Codec
from stream.events import topics
from stream.kafka.cluster import Cluster

HTTP1 = HTTP1Settings(header_read_timeout=5_000, max_buffer_size=65_536, keep_alive=True)
SHUTDOWN_S = 2.0
"""Seconds for open requests to end, and as many for records in flight."""
Task = asyncio.Task[None]
MAX_CONNECTIONS = 100_000
RESERVED_FILES = 200
"""Open files that are not connections: the log, the spool, Kafka's sockets."""


async def serve(
    settings: GatewaySettings,
    codec: Codec,
    health: Health,
    routes: MutableMapping[tuple[str, str], RouteHandler],
    shared: memoryview | None = None,
) -> str | None:
    """Serve until a stop signal, or until a part has failed permanently; return a sentence about it, else None.

    Adds the management API to `routes`, and its checks to `health`. `shared` is memory in which several workers count
    requests together. Raises SystemExit if the spool cannot be opened.
    """
    cluster = Cluster.of(settings, "gateway")
    appender = Appender(cluster)
    spool = _open_spool(settings)
    durable_append, readiness = DurableAppend(appender, spool), Readiness(appender, spool)
    health.ready_while(readiness.problem)
    health.warn_while(readiness.warning)
    watch = await _watch_topics(cluster, appender, health)
    authentication, states, stopping = Authentication(settings), ProviderStates(codec), Event()
    release = Release(settings.mode, codec, durable_append, authentication)
    resumption = Resumption(cluster, codec, states, release)
    routes.update(ManagementApi(cluster, durable_append, authentication, states, release, resumption).routes())
    await _read_states(states, cluster, stopping)
    health.warn_while(states.warning)
    webhooks = WebhookEndpoint(settings, codec, appender, durable_append, authentication, states, shared)
    # Before listening: the first record of a topic without metadata takes half a second.
    await appender.warm_up([topic.name for topic in topics.GATEWAY.publishes])
    gc_tuning.collect_rarely()  # it exempts what exists now: all parts, and no request yet
    stop, server = _stop_event(), _server(settings, app.create(settings, webhooks, health))
    catch_up = CatchUp(states, resumption, appender, durable_append, codec)
    log.info("gateway.listening", port=settings.port)
    failure = await _serve_until_end(
        stop, server, appender, spool, watch.run(), catch_up.run(authentication.all_fingerprints())
    )
    stopping.set()  # after the requests and the background tasks, which need the latest states of the providers
    await appender.close(SHUTDOWN_S)  # last: requests, background tasks and the drain append to it
    return failure


async def _serve_until_end(
    stop: asyncio.Event,
    server: Server,
    appender: Appender,
    spool: Spool | None,
    *background: Coroutine[None, None, None],
) -> str | None:
    """Serve, drain the spool and run the background tasks until the end; then stop them in this order.

    The end is `stop`, the stop signal, or a permanent failure of which a sentence is returned. The drain is stopped
    last, since open requests and background tasks may still spool.
    """
    serving = asyncio.create_task(server.serve())
    draining = asyncio.create_task(Drain(appender, spool).run()) if spool else None
    tasks = asyncio.gather(*background)
    server_failure = await _wait_for_end(stop, appender, serving, draining)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait([serving], timeout=SHUTDOWN_S)
    await _cancel(tasks)
    return appender.fatal or _stop_draining(draining) or server_failure


async def _cancel(background: asyncio.Future[list[None]]) -> None:
    """Cancel tasks and wait for their end. Raises the error of one that has failed before."""
    background.cancel()
    with suppress(asyncio.CancelledError):
        await background


async def _read_states(states: ProviderStates, cluster: Cluster, stop: Event) -> None:
    """Read the states of the providers, before any webhook is served; a thread follows their topic until `stop` is set.

    While Kafka does not answer or lacks the topic, the gateway starts without them: no provider counts as paused.
    """
    if not await asyncio.to_thread(states.follow, cluster, stop):
        log.warning("provider.states_unread", cause=UNREAD)


async def _watch_topics(cluster: Cluster, appender: Appender, health: Health) -> TopicWatch:
    """Check the topics once, and make their existence a condition of readiness."""
    watch = TopicWatch(cluster, topics.GATEWAY.publishes, appender.warm_up)
    await watch.check()
    health.ready_while(watch.problem)
    return watch


def _stop_event() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _server(settings: GatewaySettings, application: Application) -> Server:
    return Server(
        application,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1,
        websockets=False,
        backlog=1024,
        backpressure=_max_connections(),
        log_enabled=False,
    )


def _server_failure(serving: Task) -> str | None:
    """Return a sentence if the HTTP server has ended, else None."""
    if not serving.done():
        return None
    log.error("gateway.server_ended", error=repr(serving.exception()))
    return f"the HTTP server has ended ({serving.exception()!r}); restart the gateway"


def _stop_draining(draining: Task | None) -> str | None:
    """Cancel the task that drains the spool; return a sentence if it had ended by itself, else None."""
    if draining is None or draining.cancel():
        return None
    log.error("spool.drain_ended", error=repr(draining.exception()))
    return f"the spool is no longer drained to Kafka ({draining.exception()!r}); no record is lost, restart the gateway"


async def _wait_for_end(stop: asyncio.Event, appender: Appender, serving: Task, draining: Task | None) -> str | None:
    """Wait for the stop signal, or until the producer, the server or the drain has failed permanently.

    Return a sentence if the server has ended, else None.
    """
    while not (stop.is_set() or appender.fatal or serving.done() or (draining and draining.done())):
        try:
            await asyncio.wait_for(stop.wait(), 1.0)
        except TimeoutError:
            continue
    return _server_failure(serving)


def _max_connections() -> int:
    """Raise the limit of open files as far as allowed; return how many connections it has room for.

    granian's default is 1,024 connections: a client that held as many idle ones locked out all others until the header
    timeout.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, MAX_CONNECTIONS)
    with suppress(OSError, ValueError):  # if the kernel refuses, the current limit stays
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(RESERVED_FILES, soft - RESERVED_FILES)


def _open_spool(settings: GatewaySettings) -> Spool | None:
    if settings.spool_dir is None:
        return None
    try:
        return Spool(settings.spool_dir, settings.spool_max_bytes)
    except OSError as failure:
        sys.exit(f"cannot start: SPOOL_DIR: {failure.strerror}")
