"""Run the notifier: `python -m notifier [run|migrate|replay …|rebuild]`."""

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
    """Queue and send mails until SIGTERM or SIGINT."""
    stop = on_signal(settings.mail_timeout_s + WITHIN_S)  # wait for the reply to a dot that is sent
    store = store_engine(settings, SERVICE)
    codec = Codec(registry(settings))
    handler = partial(handle, operator=settings.operator_email, max_age_s=settings.mail_max_age)
    worker = Worker(SERVICE, TOPICS, handler, settings, store, codec)
    apply_again = partial(
        replay_hooks.handle_repeated, operator=settings.operator_email, max_age_s=settings.mail_max_age
    )
    worker.when_rewound(apply_again, replay_hooks.rewind)
    sender = Sender(settings, store, codec, worker.trust)
    worker.on_commit = sender.new_mail.set
    health = Health()
    worker.watch(health)
    health.ready_while(sender.problem)
    mails = ManagementApi(settings, store, codec, sender.new_mail.set)
    management.listen(
        settings, health, {**management_api.ManagementApi(SERVICE, store, codec).routes(), **mails.routes()}
    )
    sending = sender.start(stop)
    health.live_while(lambda: None if sending.is_alive() else "the sender has ended")
    worker.run(stop)
    sending.join(settings.mail_timeout_s)


def replay_spec(settings: NotifierSettings) -> ReplaySpec:
    """Return what a replay of the notifier needs.

    `NOTIFICATIONS` is read as well, because only that topic says which mails were sent.
    """
    return ReplaySpec(
        SERVICE,
        SERVICE,
        TOPICS,
        partial(replay_hooks.handle, operator=settings.operator_email),
        also_reads=(topics.NOTIFICATIONS,),
        settle=replay_hooks.settle,
        carry_over=replay_hooks.carry_over,
        ignored_columns=replay_hooks.IGNORED_COLUMNS,
        unreplayed_rows=replay_hooks.UNREPLAYED_ROWS,
    )


def main(arguments: list[str]) -> None:
    """Run the command in `arguments`; exit with a usage line if it is unknown.

    Alembic and the replay modules take 12 MB, so only the commands that need them import them.
    """
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
            verbs.main(replay_spec(settings), settings, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
