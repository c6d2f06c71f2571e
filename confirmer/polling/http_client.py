"""Sends HTTP requests to the providers' APIs. Never logs a body or a key."""

import asyncio
from email.utils import parsedate_to_datetime
from typing import Self

import httpx

from confirmer.api_response import ApiResponse, NoAnswer, Response
from providers.contract import ApiRequest
from runtime import clock

MAX_RESPONSE_BYTES = 500_000
"""A response becomes part of a record, which must fit into a Kafka message of at most 1 MiB."""
IDENTITY = "identity"
# Do not use HTTP_PROXY for loopback addresses.
DIRECT = {"all://localhost": None, "all://127.0.0.1": None}


class HttpClient:
    """Sends requests, and keeps connections between them. An async context manager.

    A whole response takes at most `timeout_s` and has at most MAX_RESPONSE_BYTES. Redirects are not followed, so that a
    key is sent only to the URL it is configured for.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(timeout=timeout_s, mounts=DIRECT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, url: str, request: ApiRequest) -> Response:
        """Send a request to its path below the base `url`; return the ApiResponse of any status, else NoAnswer.

        Failures of the network or the response are never raised.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send(url + request.path, request)
        except TimeoutError:
            return NoAnswer(f"no answer within {self._timeout_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError) as failure:
            return NoAnswer(f"no answer ({type(failure).__name__})")

    async def _send(self, url: str, request: ApiRequest) -> Response:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": IDENTITY,
            "User-Agent": "hookstream",
            **request.headers,
        }
        async with self._client.stream(request.method, url, headers=headers, content=request.body or None) as response:
            if (coding := response.headers.get("Content-Encoding", IDENTITY).strip().lower()) not in ("", IDENTITY):
                return NoAnswer(f"a compressed answer ({coding[:20]}), though none was asked for")
            body = bytearray()
            async for part in response.aiter_raw():  # aiter_bytes would unpack 1 GB of zeros from 1 MB
                body += part
                if len(body) > MAX_RESPONSE_BYTES:
                    return NoAnswer(f"an answer longer than {MAX_RESPONSE_BYTES} bytes")
            return ApiResponse(response.status_code, bytes(body), _retry_after(response.headers.get("Retry-After")))


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After` given as seconds or as a date (RFC 9110 §10.2.3); None if it is invalid."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - clock.now() / 1e6)
    except (ValueError, OverflowError):
        return None
