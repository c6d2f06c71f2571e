"""Runs the gateway: `python -m gateway`. One process, or WORKERS and their supervisor: all end together."""

import asyncio
import mmap
import resource
import signal
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Event
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from prometheus_client import REGISTRY

from gateway import app
from gateway.append.appender import Appender
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import Spool
from gateway.append.topic_watch import TopicWatch
from gateway.http.guard import Application
from gateway.http.token_bucket import SHARED_BYTES
from gateway.intake.authentication import Authentication
from gateway.intake.webhooks import Webhooks
from gateway.management_api import ManagementApi
from gateway.settings import GatewaySettings
from gateway.workers import link as worker_link
from gateway.workers.supervisor import WORKER, Workers
from providers import catalogue
from runtime import gc_tuning, logging, management, ports
from runtime.health import Health
from runtime.logging import log
from runtime.management import Route
from runtime.startup import Need, Startup
from stream.avro import startup
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.events import topics
from stream.kafka import admin, topic_drift
from stream.kafka.client_config import Cluster

HTTP1 = HTTP1Settings(header_read_timeout=5_000, max_buffer_size=65_536, keep_alive=True)
CLOSING_S = 2.0
Work = asyncio.Task[None]
MOST_CONNECTIONS, OWN_FILES = 100_000, 200
GATEWAY_TOPICS = (
    topics.PAYMENT_WEBHOOKS,
    topics.SHIPPING_WEBHOOKS,
    topics.REFUND_WEBHOOKS,
    topics.INVOICE_WEBHOOKS,
    topics.UNCONFIRMED,
    topics.ORDERS,
    topics.CUSTOMERS,
    topics.QUARANTINE,
    topics.UNVERIFIED,
    topics.REJECTED,
    topics.OUTCOMES,
)


async def serve(
    settings: GatewaySettings,
    codec: Codec,
    health: Health,
    routes: MutableMapping[tuple[str, str], Route],
    shared: memoryview | None = None,
) -> str | None:
    """Serve until a signal asks to stop; what has failed for good, if that ended it."""
    appender = Appender(Cluster.of(settings, "gateway"))
    spool = _spool(settings)
    custody = DurableAppend(appender, spool)
    health.ready_while(custody.problem)
    health.warn_while(custody.warning)
    watch = TopicWatch(Cluster.of(settings, "gateway"), GATEWAY_TOPICS, appender.warm_up)
    await watch.look()
    health.ready_while(watch.problem)
    proof = Authentication(settings)
    server = _server(
        settings, app.create(settings, Webhooks(settings, codec, appender, custody, proof, shared), health)
    )
    routes.update(ManagementApi(settings, codec, custody, proof).routes())
    await appender.warm_up([topic.name for topic in GATEWAY_TOPICS])
    gc_tuning.look_seldom()
    stop = _on_signal()
    serving = asyncio.create_task(server.serve())
    draining = asyncio.create_task(custody.drain()) if spool else None
    watching = asyncio.create_task(watch.keep_looking())
    log.info("gateway.listening", port=settings.port)
    await _until(stop, appender, serving, draining)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait([serving], timeout=CLOSING_S)
    watching.cancel()
    failure = appender.fatal or _drain_failure(draining)
    await appender.close(CLOSING_S)
    return failure


def _on_signal() -> asyncio.Event:
    """Set when a signal asks to stop."""
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
        backpressure=_connections(),
        log_enabled=False,
    )


def _drain_failure(draining: Work | None) -> str | None:
    """Stop bringing the spool to Kafka; why that had ended by itself, if it had."""
    if draining is None or draining.cancel():
        return None
    log.error("spool.drain_ended", error=repr(draining.exception()))
    return (
        f"the spool is no longer brought to Kafka ({draining.exception()!r}); nothing is lost, start the gateway again"
    )


async def _until(stop: asyncio.Event, appender: Appender, serving: Work, draining: Work | None) -> None:
    """Wait for the signal, or for the end of what cannot be mended from within."""
    while not (stop.is_set() or appender.fatal or serving.done() or (draining and draining.done())):
        try:
            await asyncio.wait_for(stop.wait(), 1.0)
        except TimeoutError:
            continue


def _connections() -> int:
    """As many as this process may have files open, after raising that as far as it may.

    granian lets 1,024 in unless told otherwise: whoever held so many open without a word kept everybody else outside
    until the header timeout.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, MOST_CONNECTIONS)
    with suppress(OSError, ValueError):  # what the kernel does not give, we do without
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(OWN_FILES, soft - OWN_FILES)


def _kafka(settings: GatewaySettings) -> Need:
    """With a spool, Kafka may be away at the start as at any other time."""
    cluster = Cluster.of(settings, "gateway")

    def ask() -> None:
        if settings.spool_dir is None or admin.is_reachable(cluster):
            admin.check(cluster, GATEWAY_TOPICS, wait_for_missing=False)
            topic_drift.warn(cluster, GATEWAY_TOPICS, settings.mode, settings.topic_replication)
        else:
            log.warning("gateway.spooling", cause="Kafka does not answer; webhooks go to the spool")

    return ask


def _spool(settings: GatewaySettings) -> Spool | None:
    if settings.spool_dir is None:
        return None
    try:
        return Spool(settings.spool_dir, settings.spool_max_bytes)
    except OSError as failure:
        sys.exit(f"cannot start: SPOOL_DIR: {failure.strerror}")


def main() -> None:
    """Read the settings, serve, and say why it ended."""
    settings = GatewaySettings.read()
    logging.configure("gateway", settings.log_level)
    if sys.argv[1:2] == [WORKER]:
        sys.exit(_work(settings, *map(int, sys.argv[2:])))
    if settings.webhook_allow_unsigned:
        log.warning("gateway.unsigned", cause="WEBHOOK_ALLOW_UNSIGNED is set: anybody can report a payment")
    for provider in catalogue.NAMES.values():
        if not settings.is_active(provider):
            log.warning("provider.not_configured", provider=provider.name, settings=provider.secret_setting)
    ports.check(settings.host, settings.port)
    if settings.workers > 1:
        sys.exit(_supervise(settings))
    health, routes = Health(), dict[tuple[str, str], Route]()
    management.listen(settings, health, routes)
    sys.exit(_run(settings, health, routes))


def _run(
    settings: GatewaySettings,
    health: Health,
    routes: MutableMapping[tuple[str, str], Route],
    shared: memoryview | None = None,
) -> str | None:
    """Wait for what is needed, and serve."""
    codec = Codec(registry(settings))
    kinds = [record for topic in GATEWAY_TOPICS for record in topic.records]  # none is asked for while a sender waits
    starting = Startup([_kafka(settings), startup.registry_answers(codec, kinds)])
    health.ready_while(starting.problem)
    starting.wait(Event())  # a signal ends the process: there is nothing to finish yet
    return uvloop.run(serve(settings, codec, health, routes, shared))


def _supervise(settings: GatewaySettings) -> int:
    """Keep WORKERS processes serving until a signal asks to stop."""
    stop, health, own = Event(), Health(), Workers(settings.workers)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    own.watch(health)
    management.listen(settings, health, own.routes())
    return own.supervise(stop)


def _work(settings: GatewaySettings, link: int, desk: int, limits: int) -> str | None:
    """Serve as one of several workers; the numbers are file descriptors that the supervisor has left open."""
    health, routes = Health(), dict[tuple[str, str], Route]()

    def route(method: str, path: str, request: Mapping[str, Any]) -> object:
        return routes[method, path](request)

    verbs = {"problems": health.problems, "warnings": health.warnings, "metrics": lambda: [*REGISTRY.collect()]}
    worker_link.serve(Connection(link), verbs)
    worker_link.serve(Connection(desk), {"route": route})
    return _run(settings, health, routes, memoryview(mmap.mmap(limits, SHARED_BYTES)))


if __name__ == "__main__":
    main()
