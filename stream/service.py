"""The command line of a processor: run its worker, migrate its store, or replay its topics."""

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
from stream.replay import cli as replay_cli
from stream.replay.spec import ReplaySpec, unchanged
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
    publishes: Sequence[Topic] = (),
    retranslate: Callable[[Record], Record] = unchanged,
    is_by_partition: bool = False,
) -> None:
    """Execute the verb in `sys.argv`: `run` (the default), `migrate`, or one of `replay_cli.VERBS`.

    `package` is the Python package of the service, `service` if None. `publishes`, `retranslate` and `is_by_partition`
    are used by replays only (see `ReplaySpec`). Exits with the usage text for an unknown verb.
    """
    settings = StoreSettings.read()
    logging.configure(service, settings.log_level)
    match sys.argv[1:]:
        case [] | ["run"]:
            run(service, topics, handler, settings, store_engine(settings, service), on_signal())
        case ["migrate"]:
            migrate.upgrade(package or service, settings.session_url)
        case [verb, *_] if verb in replay_cli.VERBS:
            spec = ReplaySpec(
                service,
                package or service,
                tuple(topics),
                handler,
                tuple(publishes),
                retranslate=retranslate,
                is_by_partition=is_by_partition,
            )
            replay_cli.main(spec, settings, sys.argv[1:])
        case _:
            sys.exit(USAGE.format(package=package))


def run(
    service: str, topics: Sequence[Topic], handler: Handler, settings: StoreSettings, store: Engine, stop: Event
) -> None:
    """Run the worker and the management listener in this thread until `stop` is set."""
    codec = Codec(registry(settings))
    worker = Worker(service, topics, handler, settings, store, codec)
    health = Health()
    worker.watch(health)
    management.listen(settings, health, ManagementApi(service, store, codec).routes())
    worker.run(stop)
