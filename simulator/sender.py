"""Posts webhooks as a real sender does: signed, evenly paced, and repeated until they are answered 2xx."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp

from providers import catalogue
from providers.contract import Provider
from runtime.timing.backoff import Backoff
from runtime.timing.rate_limiter import RateLimiter
from simulator import signing
from simulator.plan import Life
from simulator.story import SimulatedWebhook

IN_FLIGHT = 32
TIMEOUT_S = 30.0
BACKOFF = Backoff(0.2, 5.0)
RETRY_S = 180.0
"""Seconds of retries after which a webhook counts as not accepted."""
NO_ANSWER = "no answer"
RETRIED = ("408", "429", "5", NO_ANSWER)
"""Prefixes of the results after which a webhook is posted again."""


@dataclass
class Tally:
    """The gateway's answers: `accepted` has each webhook once, `duplicates` counts those accepted again.

    `refused` has the last answer to each webhook that was not accepted when sent; its duplicate may have been.
    `answers` counts every answer, also those after which a webhook was posted again.
    """

    accepted: set[SimulatedWebhook] = field(default_factory=set)
    duplicates: int = 0
    refused: dict[SimulatedWebhook, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)


class WebhookSender:
    """Posts to the gateway in `env`, signed with the secrets in `env`. Each webhook's last try calls `on_answer`."""

    def __init__(self, session: aiohttp.ClientSession, env: Mapping[str, str], on_answer: Callable[[], None]) -> None:
        self._session = session
        self._env = env
        self._on_answer = on_answer
        self._timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self.tally = Tally()

    async def play(self, lives: tuple[Life, ...], limiter: RateLimiter) -> Tally:
        """Post the webhooks of up to IN_FLIGHT orders concurrently, the steps of one order after each other.

        Return the answers, including those of earlier calls.
        """
        waiting = iter(lives)
        async with asyncio.TaskGroup() as senders:
            for _ in range(min(IN_FLIGHT, len(lives))):
                senders.create_task(self._play_each(waiting, limiter))
        return self.tally

    async def _play_each(self, lives: Iterator[Life], limiter: RateLimiter) -> None:
        for life in lives:
            for step in life.steps:
                await asyncio.gather(*(self._send(webhook, limiter) for webhook in step))

    async def _send(self, webhook: SimulatedWebhook, limiter: RateLimiter) -> None:
        await asyncio.sleep(limiter.reserve(time.monotonic()))
        attempts = 1
        until = time.monotonic() + RETRY_S
        while (answer := await self._post(webhook)).startswith(RETRIED) and time.monotonic() < until:
            await asyncio.sleep(BACKOFF.wait_s(attempts))
            attempts += 1
        self._count(webhook, answer)
        self._on_answer()

    async def _post(self, webhook: SimulatedWebhook) -> str:
        """Register a webhook at the simulated API, if it needs that, and post it once. Count the answer in `tally`.

        Return the HTTP status as text, or NO_ANSWER with the type of the error, also if the registration failed.
        """
        url, headers = self._signed(webhook)
        try:
            await self._register_at_api(webhook)
            async with self._session.post(url, data=webhook.body, headers=headers, timeout=self._timeout) as response:
                await response.read()
                answer = str(response.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            answer = f"{NO_ANSWER} ({type(failure).__name__})"
        self.tally.answers[answer] += 1
        return answer

    def _signed(self, webhook: SimulatedWebhook) -> tuple[str, dict[str, str]]:
        """Return the URL and the headers to post with. A provider that does not sign has its secret in the URL."""
        provider = provider_of(webhook)
        secret = self._env[provider.secret_setting].split(",")[0].strip()
        signed = signing.sign(provider, webhook.body, secret.encode(), time.time_ns() // 1000)
        url = self._env["GATEWAY_URL"] + webhook.path
        if provider.takes_token:
            url += "/" + quote(secret, safe="")
        return url, {"Content-Type": "application/json", **dict(webhook.headers), **signed}

    async def _register_at_api(self, webhook: SimulatedWebhook) -> None:
        """Add the webhook's ProviderRecord, if it has one, to the simulated API."""
        if webhook.api is not None:
            url = f"{self._env['APIS_URL']}/simulator/payments"
            async with self._session.post(url, data=webhook.api, timeout=self._timeout) as response:
                response.raise_for_status()

    def _count(self, webhook: SimulatedWebhook, answer: str) -> None:
        if not answer.startswith("2"):
            self.tally.refused[webhook] = answer
        elif webhook in self.tally.accepted:
            self.tally.duplicates += 1
        else:
            self.tally.accepted.add(webhook)


def provider_of(webhook: SimulatedWebhook) -> Provider:
    """Return the provider that signs a webhook, by its path, and by its headers where two contracts share the path."""
    return catalogue.find(webhook.path, {name.lower(): value for name, value in webhook.headers})[0]
