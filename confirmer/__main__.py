"""Runs the confirmer: `python -m confirmer [run|migrate|replay …|rebuild]`."""

from functools import partial

from sqlalchemy import Connection

from confirmer import answers, replay_hooks
from confirmer.handler import handle
from confirmer.housekeeping import Housekeeping, delete_ended
from confirmer.polling.poller import Poller
from confirmer.settings import API_VERIFICATIONS, ConfirmerSettings
from runtime import clock
from runtime.health import Health
from runtime.logging import log
from runtime.management import listener
from runtime.postgres.engine import store_engine
from runtime.shutdown import on_signal
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters.management_api import ManagementApi
from stream.events import topics
from stream.replay.spec import ReplaySpec
from stream.service import Service
from stream.worker.loop import Worker
from stream.worker.pause_api import PauseApi
from stream.worker.replay_api import ReplayApi

TOPICS = topics.service("confirmer")
STOP_S = 2.0


def run(settings: ConfirmerSettings) -> None:
    """Insert verifications and send them until SIGTERM or SIGINT."""
    stop = on_signal()
    for provider in API_VERIFICATIONS:
        if not settings.api_key(provider):
            log.warning("provider.not_asked", provider=provider, settings=f"{provider.upper()}_API_KEY")
    store = store_engine(settings, TOPICS.name)
    codec = Codec(registry(settings))
    poller = Poller(TOPICS.name, settings, store, codec)
    handler = partial(handle, encode=codec.encode, on_insert=poller.providers_to_notify.update)
    worker = Worker(TOPICS, handler, settings, store, codec, on_commit=poller.notify)
    health = Health()
    worker.watch(health)
    health.ready_while(poller.problem)
    failed, pauses = ManagementApi(TOPICS.name, store, codec), PauseApi(TOPICS.name, store)
    replays = ReplayApi(TOPICS.name, TOPICS.package, store)
    routes = {**failed.routes(), **pauses.routes(), **replays.routes(), **answers.routes(store)}
    listener.listen(settings, health, routes)
    Housekeeping(store, settings.verification_retention_days).start(stop)
    polling = poller.start(stop)
    health.live_while(lambda: None if polling.is_alive() else "the poller has ended")
    worker.run(stop)
    polling.join(STOP_S)  # requests still open then are sent again when their lease has expired


def replay_spec(settings: ConfirmerSettings) -> ReplaySpec:
    """Describe a replay of the confirmer, which reads the results of verifications from the topics."""
    codec = Codec(registry(settings))
    return ReplaySpec(
        TOPICS,
        partial(replay_hooks.handle, encode=codec.encode),
        also_reads=replay_hooks.RESULT_TOPICS,
        is_relevant=replay_hooks.is_relevant,
        on_finish=partial(_settle, before=clock.now() - settings.verification_retention_days * clock.DAY_US),
        carry_over=replay_hooks.carry_over,
        ignored_columns=replay_hooks.IGNORED_COLUMNS,
        unreplayed_rows=replay_hooks.UNREPLAYED_ROWS,
    )


def _settle(tx: Connection, *, before: int) -> None:
    """Set the inbox outcomes, and delete the verifications that the live store has deleted too."""
    replay_hooks.settle(tx)
    delete_ended(tx, before=before)


SERVICE = Service(TOPICS, ConfirmerSettings, run, replay_spec)

if __name__ == "__main__":
    SERVICE.main()
