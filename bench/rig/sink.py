"""A cheap mail server that stores each mail before it answers: `python -m bench.rig.sink FOLDER`.

The server prints its port. `FOLDER/mails` gets the bytes of every mail; `FOLDER/index` gets a line per stored mail: the
time it was on disk, its Message-ID without brackets, its recipient. Mails that arrive at the same time share one
fdatasync.
"""

import asyncio
import os
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop

HOST = "127.0.0.1"
END = b"\r\n.\r\n"
LONGEST = 1_000_000
EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored mail. `at` is when it was on disk, in seconds since 1970; `message_id` has no angle brackets."""

    at: float
    message_id: str
    recipient: str


class Storage:
    """Appends mails to the files of a folder. `store` returns when its mail is on disk."""

    def __init__(self, folder: Path) -> None:
        self._mails = (folder / "mails").open("ab", buffering=0)
        self._index = (folder / "index").open("ab", buffering=0)
        self._waiting: list[tuple[bytes, str, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def store(self, recipient: str, mail: bytes) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((mail, recipient, done))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            self._mails.write(b"".join(mail for mail, _, _ in batch))
            await asyncio.to_thread(os.fdatasync, self._mails.fileno())
            now = time.time()
            self._index.write("".join(f"{now:.6f} {_id(mail)} {to}\n" for mail, to, _ in batch).encode())
            for _, _, done in batch:
                if not done.cancelled():
                    done.set_result(None)
        self._flushing = None


def stored(folder: Path) -> Iterator[Stored]:
    """Yield the mails that a sink in this folder has stored so far."""
    for line in (folder / "index").read_text().splitlines():
        at, message_id, recipient = line.split(" ", 2)
        yield Stored(float(at), message_id, recipient)


def _id(mail: bytes) -> str:
    head = b"\n" + mail.partition(b"\r\n\r\n")[0]
    return head.lower().partition(b"\nmessage-id:")[2].partition(b"\r\n")[0].strip(b" <>").decode() or "-"


class Session:
    """One client's SMTP connection."""

    def __init__(self, storage: Storage, reader: StreamReader, writer: StreamWriter) -> None:
        self._storage, self._reader, self._writer = storage, reader, writer
        self._recipient = "-"

    async def serve(self) -> None:
        """Answer commands until either side closes the connection."""
        self._writer.write(b"220 sink\r\n")
        try:
            while line := await self._reader.readline():
                if not await self._answer(line):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writer.close()

    async def _answer(self, line: bytes) -> bool:
        """Answer one command, and for DATA the mail; return whether the session continues."""
        match line[:4].upper():
            case b"EHLO":
                self._writer.write(EXTENSIONS)
            case b"RCPT":
                self._recipient = line.partition(b"<")[2].partition(b">")[0].decode()
                self._writer.write(b"250 ok\r\n")
            case b"DATA":
                self._writer.write(b"354 go ahead\r\n")
                await self._storage.store(self._recipient, await self._reader.readuntil(END))
                self._writer.write(b"250 stored\r\n")
            case b"QUIT":
                self._writer.write(b"221 bye\r\n")
                return False
            case _:
                self._writer.write(b"250 ok\r\n")
        return True


async def serve(folder: Path) -> None:
    """Print the port and serve until cancelled."""
    storage = Storage(folder)
    server = await asyncio.start_server(lambda *ends: Session(storage, *ends).serve(), HOST, 0, limit=LONGEST)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
