"""The line to the providers' APIs: one HTTP request, and what came of it. Never logs a body or a key."""

import asyncio
from email.utils import parsedate_to_datetime
from typing import Self

import httpx

from confirmer.verdict import ApiResponse, NoAnswer, Response
from providers.contract import ApiRequest
from runtime import clock

MAX_ANSWER_BYTES = 500_000
"""An answer becomes part of a record, and a record must fit into Kafka, whose limit is 1 MiB."""
IDENTITY = "identity"
# A proxy named in the environment has no business between here and here.
DIRECT = {"all://localhost": None, "all://127.0.0.1": None}


class HttpClient:
    """Connections that are kept between requests.

    A whole answer takes `timeout_s` and has MAX_ANSWER_BYTES at most, whatever the other side does. Redirects are not
    followed: a key goes nowhere but to the URL it is configured for.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(timeout=timeout_s, mounts=DIRECT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(self, url: str, ask: ApiRequest) -> Response:
        """What is answered to a request below the base `url`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send(url + ask.path, ask)
        except TimeoutError:
            return NoAnswer(f"no answer within {self._timeout_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError) as failure:
            return NoAnswer(f"no answer ({type(failure).__name__})")

    async def _send(self, url: str, ask: ApiRequest) -> Response:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": IDENTITY,
            "User-Agent": "hookstream",
            **ask.headers,
        }
        async with self._client.stream(ask.method, url, headers=headers, content=ask.body or None) as answer:
            if (coding := answer.headers.get("Content-Encoding", IDENTITY).strip().lower()) not in ("", IDENTITY):
                return NoAnswer(f"a compressed answer ({coding[:20]}), though none was asked for")
            body = bytearray()
            async for part in answer.aiter_raw():  # aiter_bytes would unpack 1 GB of zeros from 1 MB
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    return NoAnswer(f"an answer longer than {MAX_ANSWER_BYTES} bytes")
            return ApiResponse(answer.status_code, bytes(body), _retry_after(answer.headers.get("Retry-After")))


def _retry_after(value: str | None) -> float | None:
    """Seconds, given as such or as a date (RFC 9110 §10.2.3); None when there is nothing to understand."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - clock.now() / 1e6)
    except (ValueError, OverflowError):
        return None
