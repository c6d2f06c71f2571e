"""Asks what is due: claim → request → verdict → publish, acknowledged → settle.

Whoever dies between two steps leaves a lease that passes, and another asks again: the event of the same truth has the
same id, so to publish it twice is harmless.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Sequence
from threading import Event, Thread
from typing import TypeVar

from sqlalchemy import Connection, Engine, exc

from confirmer import metrics, store
from confirmer.polling import request_batching
from confirmer.polling.http_client import HttpClient
from confirmer.polling.outcome_messages import OutcomeMessages, conclude
from confirmer.polling.provider_client import ProviderClient, desk
from confirmer.polling.request_batching import Open, Request
from confirmer.settings import INQUIRIES, ConfirmerSettings
from confirmer.store import Claimed
from confirmer.verdict import Confirmed, Context, Rejected, Response, RetryLater, Unbuildable, Unknown, Verdict
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.avro.registry import UnknownSchema
from stream.events import UnconfirmedWebhook
from stream.kafka.client_config import Cluster
from stream.store.outbox import Message
from stream.worker.publisher import Publisher

T = TypeVar("T")
IDLE_S = 1.0
SPARE_S = 10.0
"""Of a lease, beyond what asking takes at most."""
CONNECTIONS = 2
"""To the store at once; the worker has its own."""
STORE_FAILED = (exc.SQLAlchemyError, UnknownSchema, OSError)


class Poller:
    """One thread with a loop of its own; several may work beside each other, in other replicas."""

    def __init__(self, service: str, settings: ConfirmerSettings, database: Engine, codec: Codec) -> None:
        self._settings = settings
        self._database = database
        self._codec = codec
        self._telling = OutcomeMessages(service, codec)
        self._publisher = Publisher(Cluster.of(settings, "confirmer"), while_waiting=lambda: None)
        self._desks = [desk(settings, name, key) for name in INQUIRIES if (key := settings.api_key(name))]
        self._loop: asyncio.AbstractEventLoop | None = None
        self.arrived: set[str] = set()
        """Providers of receipts that the worker has kept since it called `wake`; its thread alone uses this."""

    def start(self, stop: Event) -> Thread:
        """Ask in a thread until `stop` is set."""
        thread = Thread(target=lambda: asyncio.run(self._work(stop)), name="asker", daemon=True)
        thread.start()
        return thread

    def wake(self) -> None:
        """Ask the providers in `arrived` at once; called by the worker's thread after each commit."""
        providers = frozenset(self.arrived)
        self.arrived.clear()
        if providers and self._loop:
            self._loop.call_soon_threadsafe(self._remind, providers)

    def _remind(self, providers: Collection[str]) -> None:
        for asked in self._desks:
            if asked.provider in providers:
                asked.news.set()

    def problem(self) -> str | None:
        """Which providers do not take our keys; or that Kafka does not take what they say."""
        refusing = [f"{desk.provider} refuses {desk.provider.upper()}_API_KEY" for desk in self._desks if desk.refused]
        return "; ".join(refusing) or self._publisher.problem()

    async def _work(self, stop: Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._storing = asyncio.Semaphore(CONNECTIONS)
        self._publishing = asyncio.Lock()
        async with HttpClient(self._settings.ask_timeout_s) as line, asyncio.TaskGroup() as desks:
            desks.create_task(self._remind_of_due(stop))
            for desk in self._desks:
                desks.create_task(self._attend(desk, line, stop))
        self._loop = None

    async def _attend(self, desk: ProviderClient, line: HttpClient, stop: Event) -> None:
        while not stop.is_set():
            desk.news.clear()
            try:
                asked = not desk.breaker.rest(time.monotonic()) and await self._ask_some(desk, line)
            except STORE_FAILED as failure:
                asked = False
                log.warning("store.failed", error=type(failure).__name__)
            if not asked:
                await desk.news.wait()

    async def _remind_of_due(self, stop: Event) -> None:
        """Look once a second which providers have questions due, such as those to be asked again.

        One look for all: one for each provider took eight transactions a second on an idle system.
        """
        providers = [one.provider for one in self._desks]
        while not stop.is_set():
            try:
                self._remind(await self._store(lambda tx: store.due(tx, providers)))
            except STORE_FAILED as failure:
                log.warning("store.failed", error=type(failure).__name__)
            await asyncio.sleep(IDLE_S)
        self._remind(providers)

    async def _ask_some(self, desk: ProviderClient, line: HttpClient) -> bool:
        """Ask what has been due longest; whether there was anything."""
        most = 1 if desk.breaker.is_open else self._settings.ask_concurrency
        lease_s = self._settings.ask_timeout_s + most / desk.inquiry.per_second + SPARE_S
        claimed = await self._store(lambda tx: store.claim(tx, desk.provider, most, lease_s))
        questions = [(one, self._receipt(one)) for one in claimed]
        async with asyncio.TaskGroup() as asking:
            for request in request_batching.made_of(questions, desk.inquiry, desk.key):
                asking.create_task(self._ask(desk, line, request))
        return bool(claimed)

    async def _ask(self, desk: ProviderClient, line: HttpClient, request: Request) -> None:
        response: Response
        if isinstance(request.ask, Unbuildable):
            response = request.ask
        else:
            await asyncio.sleep(desk.pace.wait(time.monotonic()))
            response = await line.ask(desk.url, request.ask)
            desk.heard(response)
        concluded = [self._conclude(desk, question, response) for question in request.questions]
        await self._publish([message for _, told in concluded for message in told])
        verdicts = [(claimed, verdict) for (claimed, _), (verdict, _) in zip(request.questions, concluded, strict=True)]
        try:
            await self._store(lambda tx: store.settle(tx, verdicts))
        except STORE_FAILED as failure:  # the lease passes, and it is asked again
            log.warning("store.failed", error=type(failure).__name__)
            return
        for claimed, verdict in verdicts:
            _report(desk.provider, claimed, verdict)

    def _conclude(self, desk: ProviderClient, question: Open, response: Response) -> tuple[Verdict, list[Message]]:
        claimed, _ = question
        chance = random.random()  # noqa: S311 - spreads retries
        here = Context(clock.now(), claimed.attempts, claimed.unread, self._settings.mode, chance)
        return conclude(desk.inquiry, question, response, here, self._telling)

    def _receipt(self, claimed: Claimed) -> UnconfirmedWebhook:
        record = self._codec.decode(claimed.record)
        if not isinstance(record, UnconfirmedWebhook):
            raise TypeError(f"a question was kept of a {type(record).__name__}")
        return record

    async def _publish(self, messages: Sequence[Message]) -> None:
        if messages:
            async with self._publishing:
                await asyncio.to_thread(self._publisher.publish, messages)

    async def _store(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction, on a thread that may wait for the store."""

        def transact() -> T:
            with self._database.begin() as tx:
                return work(tx)

        async with self._storing:
            return await asyncio.to_thread(transact)


def _report(provider: str, claimed: Claimed, verdict: Verdict) -> None:
    about = {"id": claimed.receipt_id, "provider": provider, "attempt": claimed.attempts}
    match verdict:
        case Confirmed():
            log.info("webhook.confirmed", **about)
            status = "confirmed"
        case Rejected(cause, error):
            log.warning("webhook.rejected", cause=cause, error=error, **about)
            status = "untrue"
        case Unknown(error):
            log.warning("webhook.abandoned", error=error, **about)
            status = "unknown"
        case RetryLater(error, seconds):
            log.info("webhook.asked_again", error=error, seconds=round(seconds, 1), **about)
            status = "again"
    metrics.QUESTIONS.labels(provider, status).inc()
