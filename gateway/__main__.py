"""Runs the gateway: `python -m gateway`. With WORKERS above 1, a supervisor and its workers, which end together."""

import mmap
import signal
import sys
from collections.abc import Mapping, MutableMapping
from multiprocessing.connection import Connection
from threading import Event

import uvloop
from prometheus_client import REGISTRY

from gateway.http.token_bucket import SHARED_BYTES
from gateway.serving import serve
from gateway.settings import GatewaySettings
from gateway.workers import link as worker_link
from gateway.workers.supervisor import WORKER, WorkerPool
from providers import catalogue
from runtime import logging, ports
from runtime.health import Health
from runtime.logging import log
from runtime.management import listener
from runtime.management.routes import RouteHandler
from runtime.startup import Need, Startup
from stream.avro import startup
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.events import topics
from stream.kafka import admin, topic_drift
from stream.kafka.cluster import Cluster


def _kafka(settings: GatewaySettings) -> Need:
    """Return the need for Kafka and its topics. With a spool, the gateway starts while Kafka is unavailable."""
    cluster = Cluster.of(settings, "gateway")

    def check() -> None:
        if settings.spool_dir is None or admin.is_reachable(cluster):
            admin.check(cluster, topics.GATEWAY.publishes, wait_for_missing=False)
            topic_drift.warn(cluster, topics.GATEWAY.publishes, settings.mode, settings.topic_replication)
        else:
            log.warning("gateway.spooling", cause="Kafka does not answer; webhooks go to the spool")

    return check


def main() -> None:
    """Serve as a single process, a supervisor or a worker, then exit the process.

    The exit code is 0 after a stop signal, EXIT_MISCONFIGURED for invalid settings, else 1, with the reason on stderr;
    of a supervisor, that of `supervise`.
    """
    settings = GatewaySettings.read()
    logging.configure("gateway", settings.log_level)
    if sys.argv[1:2] == [WORKER]:
        sys.exit(_run_worker(settings, *map(int, sys.argv[2:])))
    if settings.webhook_allow_unsigned:
        log.warning("gateway.unsigned", cause="WEBHOOK_ALLOW_UNSIGNED is set: anybody can report a payment")
    for provider in catalogue.BY_NAME.values():
        if not settings.is_active(provider):
            log.warning("provider.not_configured", provider=provider.name, settings=provider.secret_setting)
    ports.check(settings.host, settings.port)
    if settings.workers > 1:
        sys.exit(_run_supervisor(settings))
    health, routes = Health(), dict[tuple[str, str], RouteHandler]()
    listener.listen(settings, health, routes)
    sys.exit(_run(settings, health, routes))


def _run(
    settings: GatewaySettings,
    health: Health,
    routes: MutableMapping[tuple[str, str], RouteHandler],
    shared: memoryview | None = None,
) -> str | None:
    """Wait for Kafka and the schema registry, then serve; return what failed permanently, or None."""
    codec = Codec(registry(settings))
    # All schemas are fetched now, so that no webhook waits for the registry.
    kinds = [record for topic in topics.GATEWAY.publishes for record in topic.records]
    starting = Startup([_kafka(settings), startup.registry_answers(codec, kinds)])
    health.ready_while(starting.problem)
    starting.wait(Event())  # never set: until the gateway serves, a signal ends the process by default
    return uvloop.run(serve(settings, codec, health, routes, shared))


def _run_supervisor(settings: GatewaySettings) -> int:
    """Keep WORKERS processes serving until a stop signal; return the exit code."""
    stop, health, workers = Event(), Health(), WorkerPool(settings.workers)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    workers.watch(health)
    listener.listen(settings, health, workers.routes())
    return workers.supervise(stop)


def _run_worker(settings: GatewaySettings, health_link: int, management_link: int, limits: int) -> str | None:
    """Serve as one of several workers; the numbers are file descriptors inherited from the supervisor."""
    health, routes = Health(), dict[tuple[str, str], RouteHandler]()

    def route(method: str, path: str, request: Mapping[str, object]) -> object:
        return routes[method, path](request)

    verbs = {"problems": health.problems, "warnings": health.warnings, "metrics": lambda: [*REGISTRY.collect()]}
    worker_link.serve(Connection(health_link), verbs)
    worker_link.serve(Connection(management_link), {"route": route})
    return _run(settings, health, routes, memoryview(mmap.mmap(limits, SHARED_BYTES)))


if __name__ == "__main__":
    main()
