"""Wires a processor: settings, log, store, worker, management listener; and its verbs."""

import sys
from collections.abc import Callable, Sequence
from threading import Event

from sqlalchemy import Engine

from runtime import logging, management
from runtime.config.settings import StoreSettings
from runtime.health import Health
from runtime.postgres.engine import store_engine
from runtime.shutdown import on_signal
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters.management_api import ManagementApi
from stream.events import Record
from stream.events.topics import Topic
from stream.replay import cli as verbs
from stream.replay.spec import ReplaySpec, as_it_was
from stream.store import migrate
from stream.worker.bisection import Handler
from stream.worker.loop import Worker

USAGE = "usage: python -m {package} [run|migrate|replay …]"


def main(
    service: str,
    package: str | None,
    topics: Sequence[Topic],
    handler: Handler,
    *,
    announces: Sequence[Topic] = (),
    reread: Callable[[Record], Record] = as_it_was,
    is_by_partition: bool = False,
) -> None:
    """Do what the command line asks of this service: `run` it (the default), `migrate` its store, or replay it.

    A replay needs to know what the service announces on, how a webhook's body is translated again, and whether its
    partitions may be replayed in parallel (see `ReplaySpec`).
    """
    settings = StoreSettings.read()
    logging.configure(service, settings.log_level)
    match sys.argv[1:]:
        case [] | ["run"]:
            run(service, topics, handler, settings, store_engine(settings, service), on_signal())
        case ["migrate"]:
            migrate.upgrade(package or service, settings.session_url)
        case [verb, *_] if verb in verbs.VERBS:
            subject = ReplaySpec(
                service,
                package or service,
                tuple(topics),
                handler,
                tuple(announces),
                reread=reread,
                is_by_partition=is_by_partition,
            )
            verbs.main(subject, settings, sys.argv[1:])
        case _:
            sys.exit(USAGE.format(package=package))


def run(
    service: str, topics: Sequence[Topic], handler: Handler, settings: StoreSettings, store: Engine, stop: Event
) -> None:
    """Work until `stop` is set."""
    codec = Codec(registry(settings))
    worker = Worker(service, topics, handler, settings, store, codec)
    health = Health()
    worker.watch(health)
    management.listen(settings, health, ManagementApi(service, store, codec).routes())
    worker.run(stop)
