"""Runs the notifier: `python -m notifier [run|migrate|replay …|rebuild]`."""

import sys
from functools import partial

from notifier import replay_hooks
from notifier.handler import TOPICS, handle
from notifier.management_api import ManagementApi
from notifier.sending.sender import Sender
from notifier.settings import NotifierSettings
from runtime import logging, management
from runtime.health import Health
from runtime.postgres.engine import store_engine
from runtime.shutdown import WITHIN_S, on_signal
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters import management_api
from stream.events import topics
from stream.replay.spec import ReplaySpec
from stream.worker.loop import Worker

SERVICE = "notifier"


def run(settings: NotifierSettings) -> None:
    """Queue and send until a signal asks to stop."""
    stop = on_signal(settings.mail_timeout_s + WITHIN_S)  # a mail whose dot is sent is worth waiting for
    store = store_engine(settings, SERVICE)
    codec = Codec(registry(settings))
    handler = partial(handle, operator=settings.operator_email, max_age_s=settings.mail_max_age)
    worker = Worker(SERVICE, TOPICS, handler, settings, store, codec)
    apply_again = partial(
        replay_hooks.handle_repeated, operator=settings.operator_email, max_age_s=settings.mail_max_age
    )
    worker.when_rewound(apply_again, replay_hooks.rewind)
    sender = Sender(settings, store, codec, worker.trust)
    worker.on_commit = sender.wake.set
    health = Health()
    worker.watch(health)
    health.ready_while(sender.problem)
    mails = ManagementApi(settings, store, codec, sender.wake.set)
    management.listen(
        settings, health, {**management_api.ManagementApi(SERVICE, store, codec).routes(), **mails.routes()}
    )
    sending = sender.start(stop)
    health.live_while(lambda: None if sending.is_alive() else "the sender has ended")
    worker.run(stop)
    sending.join(settings.mail_timeout_s)


def subject(settings: NotifierSettings) -> ReplaySpec:
    """What a replay has to know: mails that were sent stand on a topic of their own."""
    return ReplaySpec(
        SERVICE,
        SERVICE,
        TOPICS,
        partial(replay_hooks.handle, operator=settings.operator_email),
        also_reads=(topics.NOTIFICATIONS,),
        settle=replay_hooks.settle,
        carry_over=replay_hooks.adopt,
        ignored_columns=replay_hooks.ASIDE,
        unreplayed_rows=replay_hooks.UNTOLD,
    )


def main(arguments: list[str]) -> None:
    """Do what the command line asks for. Alembic and replays, 12 MB, are imported only by those who need them."""
    settings = NotifierSettings.read()
    logging.configure(SERVICE, settings.log_level)
    match arguments:
        case [] | ["run"]:
            run(settings)
        case ["migrate"]:
            from stream.store import migrate  # noqa: PLC0415

            migrate.upgrade(SERVICE, settings.session_url)
        case _:
            from stream.replay import cli as verbs  # noqa: PLC0415

            if arguments[0] not in verbs.VERBS:
                sys.exit("usage: python -m notifier [run|migrate|replay …|rebuild]")
            verbs.main(subject(settings), settings, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
