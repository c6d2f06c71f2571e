"""Run the notifier: `python -m notifier [run|migrate|replay …|rebuild]`."""

from functools import partial

from notifier import replay_hooks
from notifier.handler import handle
from notifier.management.api import ManagementApi
from notifier.sending.housekeeping import INTERVAL_S, Housekeeping
from notifier.sending.sender import Sender
from notifier.settings import NotifierSettings
from runtime.health import Health
from runtime.management import listener
from runtime.postgres.engine import store_engine
from runtime.shutdown import WITHIN_S, on_signal
from stream.avro.codec import Codec
from stream.avro.registry import registry
from stream.dead_letters import management_api
from stream.events import topics
from stream.replay.spec import ReplaySpec
from stream.service import Service
from stream.store.ownership_signal import OwnershipSignal
from stream.worker.loop import Worker
from stream.worker.pause_api import PauseApi
from stream.worker.replay_api import ReplayApi
from stream.worker.takeover import RestoreHooks

TOPICS = topics.service("notifier")


def run(settings: NotifierSettings) -> None:
    """Queue and send mails until SIGTERM or SIGINT."""
    stop = on_signal(settings.mail_timeout_s + WITHIN_S)  # wait for the reply to a dot that is sent
    store = store_engine(settings, TOPICS.name)
    codec = Codec(registry(settings))
    handler = partial(handle, operator=settings.operator_email, max_age_s=settings.mail_max_age)
    handle_again = partial(
        replay_hooks.handle_repeated, operator=settings.operator_email, max_age_s=settings.mail_max_age
    )
    ownership_signal = OwnershipSignal()
    sender = Sender(settings, store, codec, ownership_signal)
    housekeeping = Housekeeping(settings, store, ownership_signal)
    worker = Worker(
        TOPICS,
        handler,
        settings,
        store,
        codec,
        on_commit=sender.new_mail.set,
        restore_hooks=RestoreHooks(handle_again, replay_hooks.rewind),
        ownership_signal=ownership_signal,
    )
    health = Health()
    worker.watch(health)
    health.ready_while(housekeeping.problem)
    mails = ManagementApi(settings, store, codec, sender.new_mail.set)
    failed, pauses = management_api.ManagementApi(TOPICS.name, store, codec), PauseApi(TOPICS.name, store)
    replays = ReplayApi(TOPICS.name, TOPICS.package, store)
    listener.listen(settings, health, {**failed.routes(), **pauses.routes(), **replays.routes(), **mails.routes()})
    sending, publishing = sender.start(stop), housekeeping.start(stop)
    health.live_while(lambda: None if sending.is_alive() else "the sender has ended")
    health.live_while(lambda: None if publishing.is_alive() else "the publisher of sent mails has ended")
    worker.run(stop)
    sending.join(settings.mail_timeout_s)
    publishing.join(INTERVAL_S)  # it does not end while it waits for Kafka


def replay_spec(settings: NotifierSettings) -> ReplaySpec:
    """Return what a replay of the notifier needs.

    `NOTIFICATIONS` is read as well, because only that topic says which mails were sent.
    """
    return ReplaySpec(
        TOPICS,
        partial(replay_hooks.handle, operator=settings.operator_email),
        also_reads=(topics.NOTIFICATIONS,),
        on_finish=replay_hooks.settle,
        carry_over=replay_hooks.carry_over,
        ignored_columns=replay_hooks.IGNORED_COLUMNS,
        unreplayed_rows=replay_hooks.UNREPLAYED_ROWS,
    )


SERVICE = Service(TOPICS, NotifierSettings, run, replay_spec)

if __name__ == "__main__":
    SERVICE.main()
