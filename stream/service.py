"""The descriptor of a service with a store, and its command line: run it, migrate its store, replay its topics."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from runtime import logging
from runtime.config.worker_settings import WorkerSettings
from runtime.health import Health
from runtime.management import listener
from runtime.postgres.engine import store_engine
from runtime.shutdown import on_signal
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters.management_api import ManagementApi
from stream.events import Record, topics
from stream.events.topics import ServiceTopics
from stream.replay.spec import ReplaySpec, unchanged
from stream.worker.handler import E, Handler, of_records
from stream.worker.loop import Worker
from stream.worker.pause_api import PauseApi
from stream.worker.replay_api import ReplayApi

S = TypeVar("S", bound=WorkerSettings)
REPLAY_VERBS = ("replay", "rebuild", "history")


@dataclass(frozen=True, slots=True)
class Service(Generic[S]):
    """A service with a store: its name and topics, its settings, what it runs, and how its topics are replayed.

    `run` runs the service until SIGTERM or SIGINT. `replay` returns the description of its replays. `commands` are the
    verbs that only this service has.
    """

    topics: ServiceTopics
    settings: type[S]
    run: Callable[[S], None]
    replay: Callable[[S], ReplaySpec]
    commands: Mapping[str, Callable[[S], None]] = field(default_factory=dict)

    def main(self) -> None:
        """Execute the verb in `sys.argv`: `run` (the default), `migrate`, one of REPLAY_VERBS, or one of `commands`.

        Exits with a sentence for wrong settings, and with a usage line for an unknown verb. Alembic and the replay
        modules take 12 MB, so only the verbs that need them import them.
        """
        settings = self.settings.read()
        logging.configure(self.topics.name, settings.log_level)
        match sys.argv[1:]:
            case [] | ["run"]:
                self.run(settings)
            case ["migrate"]:
                from stream.store.schema import migrate  # noqa: PLC0415

                migrate.upgrade(self.topics.package, settings.session_url)
            case [verb] if verb in self.commands:
                self.commands[verb](settings)
            case [verb, *_] if verb in REPLAY_VERBS:
                from stream.replay import cli  # noqa: PLC0415

                cli.main(self.replay(settings), settings, sys.argv[1:])
            case _:
                verbs = " | ".join(("run", "migrate", *self.commands, *REPLAY_VERBS))
                sys.exit(f"usage: python -m {self.topics.package} [{verbs}]")


def processor(
    name: str,
    settings: type[S],
    handler: Callable[[S], Handler[E]],
    *,
    retranslate: Callable[[Record], Record] = unchanged,
    is_by_partition: bool = False,
) -> Service[S]:
    """Return the service of a processor, which only applies events; `handler` returns its Handler, given the settings.

    `name` is its name in `topics.PROCESSORS`. `retranslate` and `is_by_partition` are used by replays only (see
    `ReplaySpec`).
    """
    source = topics.service(name)

    def replay(values: S) -> ReplaySpec:
        return ReplaySpec(
            source,
            of_records(handler(values)),
            source.publishes,
            retranslate=retranslate,
            is_by_partition=is_by_partition,
        )

    return Service(source, settings, partial(_run_worker, source, handler), replay)


def _run_worker(source: ServiceTopics, handler: Callable[[S], Handler[E]], settings: S) -> None:
    """Run the management listener, and in this thread a worker, until a signal."""
    stop, health = on_signal(), Health()
    store, codec = store_engine(settings, source.name), Codec(registry(settings))
    worker = Worker(source, of_records(handler(settings)), settings, store, codec)
    worker.watch(health)
    failed, pauses = ManagementApi(source.name, store, codec), PauseApi(source.name, store)
    replays = ReplayApi(source.name, source.package, store)
    listener.listen(settings, health, {**failed.routes(), **pauses.routes(), **replays.routes()})
    worker.run(stop)
