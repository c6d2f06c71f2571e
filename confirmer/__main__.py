"""Runs the confirmer: `python -m confirmer [run|migrate|replay …|rebuild]`."""

import sys
from functools import partial

from sqlalchemy import Connection

from confirmer import answers, replay_hooks
from confirmer.handler import TOPICS, handle
from confirmer.housekeeping import Housekeeping, forget
from confirmer.polling.poller import Poller
from confirmer.settings import INQUIRIES, ConfirmerSettings
from runtime import clock, logging, management
from runtime.health import Health
from runtime.logging import log
from runtime.postgres.engine import store_engine
from runtime.shutdown import on_signal
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters.management_api import ManagementApi
from stream.replay import cli as verbs
from stream.replay.spec import ReplaySpec
from stream.store import migrate
from stream.worker.loop import Worker

SERVICE = "confirmer"
ENDING_S = 2.0


def run(settings: ConfirmerSettings) -> None:
    """Keep questions and ask them until a signal asks to stop."""
    stop = on_signal()
    for provider in INQUIRIES:
        if not settings.api_key(provider):
            log.warning("provider.not_asked", provider=provider, settings=f"{provider.upper()}_API_KEY")
    store = store_engine(settings, SERVICE)
    codec = Codec(registry(settings))
    asker = Poller(SERVICE, settings, store, codec)
    handler = partial(handle, encode=codec.encode, arrived=asker.arrived.update)
    worker = Worker(SERVICE, TOPICS, handler, settings, store, codec)
    worker.on_commit = asker.wake
    health = Health()
    worker.watch(health)
    health.ready_while(asker.problem)
    management.listen(settings, health, {**ManagementApi(SERVICE, store, codec).routes(), **answers.routes(store)})
    Housekeeping(store, settings.question_retention_days).start(stop)
    asking = asker.start(stop)
    health.live_while(lambda: None if asking.is_alive() else "the asker has ended")
    worker.run(stop)
    asking.join(ENDING_S)  # what is still asked then is asked again when its lease has passed


def subject(settings: ConfirmerSettings) -> ReplaySpec:
    """What a replay has to know: what became of a question stands on the topics that the answer went to."""
    codec = Codec(registry(settings))
    return ReplaySpec(
        SERVICE,
        SERVICE,
        TOPICS,
        partial(replay_hooks.handle, encode=codec.encode),
        also_reads=replay_hooks.TOLD_BY,
        is_relevant=replay_hooks.heeds,
        settle=partial(_settle, before=clock.now() - settings.question_retention_days * clock.DAY_US),
        carry_over=replay_hooks.adopt,
        ignored_columns=replay_hooks.ASIDE,
        unreplayed_rows=replay_hooks.UNTOLD,
    )


def _settle(tx: Connection, *, before: int) -> None:
    """A rebuilt store forgets what the live one has forgotten."""
    replay_hooks.settle(tx)
    forget(tx, before=before)


if __name__ == "__main__":
    settings = ConfirmerSettings.read()
    logging.configure(SERVICE, settings.log_level)
    match sys.argv[1:]:
        case [] | ["run"]:
            run(settings)
        case ["migrate"]:
            migrate.upgrade(SERVICE, settings.session_url)
        case [verb, *_] if verb in verbs.VERBS:
            verbs.main(subject(settings), settings, sys.argv[1:])
        case _:
            sys.exit("usage: python -m confirmer [run|migrate|replay …|rebuild]")
