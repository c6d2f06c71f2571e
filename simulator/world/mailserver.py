"""A mail server for tests: `python -m simulator.world.mailserver FILE`. It stores a mail in FILE before it answers 250.

A `Mood` posted to `/simulator/mood` makes the server fail. Its HTTP API lists the mails as Mailpit's does. The server
listens on the loopback address: SMTP on SMTP_PORT, HTTP on PORT.
"""

import asyncio
import os
import sys
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from random import Random
from typing import Literal

import msgspec
from aiohttp import web

from simulator.world.postbox import Postbox, StoredMail

HOST = "127.0.0.1"
SILENCE_S = 60.0
END = b"\r\n.\r\n"
LONGEST = 10_000_000

Ill = Literal[
    "well",
    "full",  # 452 to RCPT: no mail is accepted
    "closes at data",
    "closes in the body",
    "defers",  # 451 after the final dot: the mail is not stored
    "refuses",  # 554 after the final dot: permanent
    "silent after the dot",  # stored, and no answer
    "closes after the dot",  # stored, and the connection closed without an answer
    "loses after the dot",  # not stored, and the connection closed without an answer
    "good night",  # stored and answered, then 421 to the next command
]


class Mood(msgspec.Struct, frozen=True):
    """The fault of the server, and the share of the mails, from 0 to 1, that it applies to."""

    ill: Ill = "well"
    share: float = 1.0


class Moods:
    """The current mood. A random generator with a fixed seed selects the mails it applies to."""

    def __init__(self) -> None:
        self.now = Mood()
        self._chance = Random(0)  # noqa: S311 - not a secret

    def of_this_mail(self) -> Ill:
        """Draw the fault of one more mail; `well` if the mood does not apply to it."""
        return self.now.ill if self._chance.random() < self.now.share else "well"


class SmtpConnection:
    """One client's connection."""

    def __init__(self, postbox: Postbox, moods: Moods, reader: StreamReader, writer: StreamWriter) -> None:
        self._postbox, self._moods = postbox, moods
        self._reader, self._writer = reader, writer
        self._recipient = ""
        self._ill: Ill = "well"

    async def serve(self) -> None:
        """Answer commands until either side closes the connection."""
        try:
            await self._say("220 trials")
            while (line := await self._reader.readline()) and await self._answer(line.decode("latin-1").strip()):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writer.close()

    async def _answer(self, line: str) -> bool:
        """Answer one command, and for DATA the mail; return whether the session continues."""
        match line[:4].upper():
            case "MAIL":
                self._ill = self._moods.of_this_mail()
                await self._say("250 well")
            case "RCPT":
                self._recipient = line.partition("<")[2].partition(">")[0]
                await self._say("452 no room" if self._ill == "full" else "250 well")
            case "DATA":
                return await self._receive()
            case "QUIT":
                await self._say("221 bye")
                return False
            case _:
                await self._say("250 trials")
        return True

    async def _receive(self) -> bool:
        if self._ill == "closes at data":
            return False
        await self._say("354 go ahead")
        if self._ill == "closes in the body":
            await self._reader.read(100)
            return False
        source = await self._body()
        if self._ill in ("defers", "refuses"):
            await self._say("451 later" if self._ill == "defers" else "554 never")
            return True
        if self._ill != "loses after the dot":
            self._postbox.keep(self._recipient, source)
        return await self._end()

    async def _body(self) -> bytes:
        """Return the mail up to the final dot, with doubled dots at line starts undone."""
        source = await self._reader.readuntil(END)
        return source.removesuffix(END).replace(b"\r\n..", b"\r\n.")

    async def _end(self) -> bool:
        match self._ill:
            case "silent after the dot":
                await asyncio.sleep(SILENCE_S)
                return False
            case "closes after the dot" | "loses after the dot":
                return False
            case "good night":
                await self._say("250 taken")
                await self._say("421 good night")
                return False
            case _:
                await self._say("250 taken")
                return True

    async def _say(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")
        await self._writer.drain()


def pages(postbox: Postbox, moods: Moods) -> web.Application:
    """Return the HTTP application: the part of Mailpit's API that tests use, and the endpoint of the mood."""

    async def mood(request: web.Request) -> web.Response:
        moods.now = msgspec.json.decode(await request.read(), type=Mood)
        return web.Response(status=204)

    async def info(_: web.Request) -> web.Response:
        return web.json_response({"Version": "trials", "Messages": len(postbox.mails)})

    async def messages(request: web.Request) -> web.Response:
        start, limit = (int(request.query.get(name, default)) for name, default in (("start", "0"), ("limit", "50")))
        return web.json_response({"messages": [_listed(mail) for mail in postbox.page(start, limit)]})

    app = web.Application()
    app.router.add_post("/simulator/mood", mood)
    app.router.add_get("/api/v1/info", info)
    app.router.add_get("/api/v1/messages", messages)
    return app


def _listed(mail: StoredMail) -> dict[str, object]:
    return {
        "ID": str(mail.number),
        "MessageID": mail.message_id,
        "To": [{"Name": "", "Address": mail.recipient}],
        "Subject": mail.subject,
        "Created": mail.arrived_at.isoformat(),
    }


async def serve(path: Path, smtp_port: int, port: int) -> None:
    """Serve SMTP and HTTP on these ports, with the mails in the file `path`, until cancelled."""
    postbox, moods = Postbox(path), Moods()
    runner = web.AppRunner(pages(postbox, moods), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    server = await asyncio.start_server(
        lambda reader, writer: SmtpConnection(postbox, moods, reader, writer).serve(), HOST, smtp_port, limit=LONGEST
    )
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve, and store the mails in the file that the command line names."""
    asyncio.run(serve(Path(sys.argv[1]), int(os.environ["SMTP_PORT"]), int(os.environ["PORT"])))


if __name__ == "__main__":
    main()
