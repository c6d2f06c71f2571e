"""Reads the inbox of a run: sendria on one machine, Mailpit in containers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.parser import HeaderParser
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail in the inbox. `number` is the inbox's own id.

    `message_id` has no angle brackets; of several recipients, `recipient` is the first.
    """

    number: str
    message_id: str
    recipient: str
    subject: str
    arrived_at: datetime


class Reader(Protocol):
    """Returns one page of an inbox, counted from 0, newest mails first; an empty list after the last page."""

    async def __call__(self, session: aiohttp.ClientSession, url: str, page: int) -> list[ReceivedMail]: ...


class Inbox:
    """An inbox and a cache of its mails, initially `first`, so that each read fetches only newer mails."""

    def __init__(self, session: aiohttp.ClientSession, url: str, read: Reader, first: list[ReceivedMail]) -> None:
        self._session = session
        self._url = url
        self._read = read
        self._mails = {mail.number: mail for mail in first}

    async def mails(self) -> list[ReceivedMail]:
        """Return the mails in `first`, all that arrived after them, and perhaps some older ones.

        Raises aiohttp.ClientError if the inbox does not answer.
        """
        # Several mails share a second, and pages shift while mails arrive: read until a mail is older than the cache.
        newest = max((mail.arrived_at for mail in self._mails.values()), default=None)
        page = 0
        while mails := await self._read(self._session, self._url, page):
            self._mails |= {mail.number: mail for mail in mails}
            if newest and mails[-1].arrived_at < newest:
                break
            page += 1
        return list(self._mails.values())


async def open_inbox(session: aiohttp.ClientSession, url: str) -> Inbox:
    """Return the inbox at `url`; only mails that arrive from now on are certain to be read.

    Raises aiohttp.ClientError if the inbox does not answer.
    """
    read = await _reader(session, url)
    return Inbox(session, url, read, await read(session, url, 0))


async def whole_inbox(session: aiohttp.ClientSession, url: str) -> Inbox:
    """Return the inbox at `url`; its first read fetches every mail that is in it.

    Raises aiohttp.ClientError if the inbox does not answer.
    """
    return Inbox(session, url, await _reader(session, url), [])


async def _reader(session: aiohttp.ClientSession, url: str) -> Reader:
    async with session.get(f"{url}/api/v1/info") as answer:
        mailpit = answer.status == HTTPStatus.OK
    return _read_mailpit if mailpit else _read_sendria


async def _read_sendria(session: aiohttp.ClientSession, url: str, page: int) -> list[ReceivedMail]:
    listed = await _get(session, f"{url}/api/messages/?page={page + 1}")
    return list(_sendria_mails(listed["data"]))


def _sendria_mails(rows: list[dict[str, Any]]) -> Iterator[ReceivedMail]:
    for row in rows:
        headers = HeaderParser().parsestr(row["source"])
        yield ReceivedMail(
            str(row["id"]),
            headers.get("Message-ID", "").strip("<> "),
            row["recipients_envelope"][0],
            row["subject"],
            datetime.fromisoformat(row["created_at"]),
        )


async def _read_mailpit(session: aiohttp.ClientSession, url: str, page: int) -> list[ReceivedMail]:
    listed = await _get(session, f"{url}/api/v1/messages?limit=100&start={page * 100}")
    return [
        ReceivedMail(
            row["ID"], row["MessageID"], row["To"][0]["Address"], row["Subject"], datetime.fromisoformat(row["Created"])
        )
        for row in listed["messages"]
    ]


async def _get(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as answer:
        answer.raise_for_status()
        return await answer.json()
