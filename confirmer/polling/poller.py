"""Sends the verifications that are due: claim → request → verdict → publish, acknowledged → save.

A poller that dies between two steps leaves a lease that expires; another one then sends the request again. The same
result has the same event id, so publishing it twice is harmless.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Sequence
from threading import Event, Thread
from typing import TypeVar

from sqlalchemy import Connection, Engine, exc

from confirmer import claims, metrics
from confirmer.api_response import Response, Unbuildable
from confirmer.claims import ClaimedVerification
from confirmer.polling import request_batching
from confirmer.polling.http_client import HttpClient
from confirmer.polling.outcome_messages import OutcomeMessages, conclude
from confirmer.polling.provider_client import ProviderClient, provider_client
from confirmer.polling.request_batching import OpenVerification, SharedRequest
from confirmer.settings import API_VERIFICATIONS, ConfirmerSettings
from confirmer.verdict import Confirmed, Context, Refused, RetryLater, Unknown, Verdict
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec
from stream.avro.registry import UnknownSchema
from stream.events import UnconfirmedWebhook
from stream.kafka.cluster import Cluster
from stream.store.outbox import OutboxMessage
from stream.worker.publishing.publisher import Publisher

T = TypeVar("T")
IDLE_S = 1.0
SPARE_S = 10.0
"""Seconds of a lease beyond the longest time that its requests can take."""
MAX_CONNECTIONS = 2
"""Concurrent connections to the store; the worker has its own."""
STORE_FAILED = (exc.SQLAlchemyError, UnknownSchema, OSError)


class Poller:
    """Polls every provider that has an API key. Pollers of several replicas may run at the same time."""

    def __init__(self, service: str, settings: ConfirmerSettings, database: Engine, codec: Codec) -> None:
        self._settings = settings
        self._database = database
        self._codec = codec
        self._messages = OutcomeMessages(service, codec)
        self._publisher = Publisher(Cluster.of(settings, "confirmer"), while_waiting=lambda: None)
        self._clients = [
            provider_client(settings, name, key) for name in API_VERIFICATIONS if (key := settings.api_key(name))
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self.providers_to_notify: set[str] = set()
        """Providers of verifications inserted since the last `notify`. Only the worker's thread uses it."""

    def start(self, stop: Event) -> Thread:
        """Send verifications in a daemon thread with its own event loop, and return the thread.

        The thread ends when `stop` is set and open requests are done, or at an unforeseen error; a store that fails
        does not end it.
        """
        thread = Thread(target=lambda: asyncio.run(self._work(stop)), name="poller", daemon=True)
        thread.start()
        return thread

    def notify(self) -> None:
        """Have `providers_to_notify` polled at once. The worker's thread calls this after each commit."""
        providers = frozenset(self.providers_to_notify)
        self.providers_to_notify.clear()
        if providers and self._loop:
            self._loop.call_soon_threadsafe(self._set_due, providers)

    def _set_due(self, providers: Collection[str]) -> None:
        for client in self._clients:
            if client.provider in providers:
                client.due.set()

    def problem(self) -> str | None:
        """Return why the confirmer is not ready, a refused API key or a problem of Kafka; None if it is ready."""
        refused = [client.provider for client in self._clients if client.is_key_refused]
        return (
            "; ".join(f"{provider} refuses {provider.upper()}_API_KEY" for provider in refused)
            or self._publisher.problem()
        )

    async def _work(self, stop: Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._storing = asyncio.Semaphore(MAX_CONNECTIONS)
        self._publishing = asyncio.Lock()
        try:
            async with HttpClient(self._settings.ask_timeout_s) as http, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_due(stop))
                for client in self._clients:
                    tasks.create_task(self._poll(client, http, stop))
        finally:  # the loop closes with this thread, and `notify` is called by another
            self._loop = None

    async def _poll(self, client: ProviderClient, http: HttpClient, stop: Event) -> None:
        while not stop.is_set():
            client.due.clear()
            try:
                sent = not client.breaker.retry_after(time.monotonic()) and await self._poll_once(client, http)
            except STORE_FAILED as failure:
                sent = False
                log.warning("store.failed", error=type(failure).__name__)
            if not sent:
                await client.due.wait()

    async def _watch_due(self, stop: Event) -> None:
        """Find once a second the providers that have verifications due, such as retries.

        One query serves all providers: one per provider took eight transactions a second on an idle system.
        """
        providers = [client.provider for client in self._clients]
        while not stop.is_set():
            try:
                self._set_due(await self._store(lambda tx: claims.providers_due(tx, providers)))
            except STORE_FAILED as failure:
                log.warning("store.failed", error=type(failure).__name__)
            await asyncio.sleep(IDLE_S)
        self._set_due(providers)

    async def _poll_once(self, client: ProviderClient, http: HttpClient) -> bool:
        """Claim and send the verifications that come first; return whether there were any."""
        most = 1 if client.breaker.is_open else self._settings.ask_concurrency
        lease_s = self._settings.ask_timeout_s + most / client.api_verification.per_second + SPARE_S
        claimed = await self._store(lambda tx: claims.claim(tx, client.provider, most, lease_s))
        verifications = [(verification, self._webhook(verification)) for verification in claimed]
        async with asyncio.TaskGroup() as tasks:
            for shared in request_batching.batch_requests(verifications, client.api_verification, client.key):
                tasks.create_task(self._send(client, http, shared))
        return bool(claimed)

    async def _send(self, client: ProviderClient, http: HttpClient, shared: SharedRequest) -> None:
        response: Response
        if isinstance(shared.request, Unbuildable):
            response = shared.request
        else:
            await asyncio.sleep(client.rate_limiter.reserve(time.monotonic()))
            response = await http.send(client.url, shared.request)
            client.record(response)
        concluded = [self._conclude(client, verification, response) for verification in shared.verifications]
        await self._publish([message for _, messages in concluded for message in messages])
        verdicts = [
            (claimed, verdict) for (claimed, _), (verdict, _) in zip(shared.verifications, concluded, strict=True)
        ]
        try:
            await self._store(lambda tx: claims.save_verdicts(tx, verdicts))
        except STORE_FAILED as failure:  # the lease expires, and the request is sent again
            log.warning("store.failed", error=type(failure).__name__)
            return
        for claimed, verdict in verdicts:
            _report(client.provider, claimed, verdict)

    def _conclude(
        self, client: ProviderClient, verification: OpenVerification, response: Response
    ) -> tuple[Verdict, list[OutboxMessage]]:
        claimed, _ = verification
        chance = random.random()  # noqa: S311 - spreads retries
        context = Context(clock.now(), claimed.attempts, claimed.unread, self._settings.mode, chance)
        return conclude(client.api_verification, verification, response, context, self._messages)

    def _webhook(self, claimed: ClaimedVerification) -> UnconfirmedWebhook:
        record = self._codec.decode(claimed.record)
        if not isinstance(record, UnconfirmedWebhook):
            raise TypeError(f"a verification holds a {type(record).__name__} instead of an unconfirmed webhook")
        return record

    async def _publish(self, messages: Sequence[OutboxMessage]) -> None:
        if messages:
            async with self._publishing:
                await asyncio.to_thread(self._publisher.publish, messages)

    async def _store(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction, in a thread that may block on the store."""

        def transact() -> T:
            with self._database.begin() as tx:
                return work(tx)

        async with self._storing:
            return await asyncio.to_thread(transact)


def _report(provider: str, claimed: ClaimedVerification, verdict: Verdict) -> None:
    about = {"id": claimed.request_id, "provider": provider, "attempt": claimed.attempts}
    match verdict:
        case Confirmed():
            log.info("webhook.confirmed", **about)
            status = "confirmed"
        case Refused(cause, error):
            log.warning("webhook.refused", cause=cause, error=error, **about)
            status = "untrue"
        case Unknown(error):
            log.warning("webhook.abandoned", error=error, **about)
            status = "unknown"
        case RetryLater(error, seconds):
            log.info("webhook.retry_later", error=error, seconds=round(seconds, 1), **about)
            status = "again"
    metrics.VERIFICATION_REQUESTS.labels(provider, status).inc()
