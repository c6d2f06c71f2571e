"""Wires a processor: settings, log, store, worker, management listener; and its verbs."""

import sys
from collections.abc import Sequence
from threading import Event

from sqlalchemy import Engine

from runtime import logging, management
from runtime.engine import engine
from runtime.health import Health
from runtime.settings import StoreSettings
from runtime.shutdown import on_signal
from stream import migrate
from stream.codec import Codec
from stream.desk import Desk
from stream.isolation import Handler
from stream.registry import registry
from stream.topics import Topic
from stream.worker import Worker

USAGE = "usage: python -m {package} [run|migrate]"


def main(service: str, package: str | None, topics: Sequence[Topic], handler: Handler) -> None:
    """Do what the command line asks of this service: `run` it (the default) or `migrate` its store."""
    settings = StoreSettings.read()
    logging.configure(service, settings.log_level)
    match sys.argv[1:]:
        case [] | ["run"]:
            run(service, topics, handler, settings, engine(settings.database_url, service=service), on_signal())
        case ["migrate"]:
            migrate.upgrade(package or service, settings.database_url)
        case _:
            sys.exit(USAGE.format(package=package))


def run(
    service: str, topics: Sequence[Topic], handler: Handler, settings: StoreSettings, store: Engine, stop: Event
) -> None:
    """Work until `stop` is set."""
    codec = Codec(registry(settings.schema_registry_url))
    worker = Worker(service, topics, handler, settings, store, codec)
    health = Health()
    worker.watch(health)
    management.listen(settings, health, Desk(service, store, codec).routes())
    worker.run(stop)
