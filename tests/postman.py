"""A mail server on a real socket that plays tricks, by recipient, and keeps the mails that it accepts."""

import socketserver
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from threading import Event, Thread
from typing import Literal

STALLS_S = 30.0

Trick = Literal[
    "450 at rcpt",
    "503 at rcpt",
    "421 at rcpt",
    "550 at rcpt",
    "stall at rcpt",
    "drip at rcpt",
    "hang up at rcpt",
    "no end at rcpt",
    "hang up at data",
    "hang up in data",
    "421 in data",
    "stall in data",
    "452 after dot",
    "503 after dot",
    "554 after dot",
    "hang up after dot",
    "stall after dot",
    "421 after 250",
]
"""What the server does to one mail instead of accepting it, and at which step; `421 after 250` accepts it first."""


class HangUp(Exception):
    """Raised to close the connection without a reply."""


@dataclass
class Postman:
    """A running mail server. Each mail to a recipient uses up one of the recipient's `tricks`; then mails are accepted.

    `tried` counts the RCPT commands by recipient, and `rcpts` are their recipients in order; `mails` are the accepted
    (recipient, mail), `open` and `connections` are the connections now and ever. A connection beyond `most` at a time
    gets a 421. While `is_mute`, connections are accepted and get no greeting, as from a suspended process.
    """

    most: int = 1000
    pipelining: bool = False
    is_mute: bool = False
    open: int = 0
    url: str = ""
    tricks: dict[str, deque[Trick]] = field(default_factory=lambda: defaultdict(deque))
    tried: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rcpts: list[str] = field(default_factory=list)
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    connections: int = 0
    closing: Event = field(default_factory=Event)

    def plays(self, recipient: str, *tricks: Trick) -> None:
        """Add tricks for the next mails to a recipient, one for each mail."""
        self.tricks[recipient].extend(tricks)

    def to(self, recipient: str) -> list[EmailMessage]:
        """Return the accepted mails to a recipient."""
        return [mail for address, mail in self.mails if address == recipient]


@contextmanager
def postman(*, pipelining: bool = False) -> Iterator[Postman]:
    """Run a mail server on a port of its own during the block. With `pipelining`, EHLO offers PIPELINING."""
    man = Postman(pipelining=pipelining)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            man.connections += 1
            man.open += 1
            try:
                Conversation(man, self).run()
            except (HangUp, OSError):
                return
            finally:
                man.open -= 1

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        man.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield man
        man.closing.set()
        server.shutdown()


class Conversation:
    """One connection, which may carry several mails."""

    def __init__(self, man: Postman, line: socketserver.StreamRequestHandler) -> None:
        self._man = man
        self._line = line
        self._recipient = ""
        self._trick: str = ""

    def run(self) -> None:
        while self._man.is_mute:
            self._man.closing.wait(0.05)
        if self._man.open > self._man.most:
            self._say("421 too many connections")
            return
        self._say("220 the postman")
        while command := self._line.rfile.readline().decode().strip():
            verb, _, rest = command.partition(" ")
            if verb.upper() == "DATA":
                self._data()
            elif verb.upper() == "RCPT":
                self._rcpt(rest)
            elif verb.upper() == "EHLO" and self._man.pipelining:
                self._say("250-the postman\r\n250 PIPELINING")
            elif verb.upper() == "QUIT":
                return
            else:
                self._say("250 fine")

    def _rcpt(self, said: str) -> None:
        self._recipient = said.partition("<")[2].partition(">")[0]
        self._man.tried[self._recipient] += 1
        self._man.rcpts.append(self._recipient)
        tricks = self._man.tricks[self._recipient]
        self._trick = tricks.popleft() if tricks else ""
        if not self._plays("rcpt"):
            self._say("250 fine")

    def _data(self) -> None:
        if self._trick == "hang up at data":
            raise HangUp
        self._say("354 go on")
        if self._trick == "stall in data":
            self._stall()
        if self._trick.endswith("in data"):
            self._in_data()
        body = b"".join(iter(self._line.rfile.readline, b".\r\n"))
        if self._plays("dot"):
            return
        self._man.mails.append((self._recipient, BytesParser(policy=default).parsebytes(body)))
        self._say("250 taken")
        if self._trick == "421 after 250":
            self._say("421 good night")
            raise HangUp

    def _in_data(self) -> None:
        """Close the connection without reading the body, after a 421 if the trick has one."""
        if self._trick.startswith("421"):
            self._say("421 good night")
        raise HangUp

    def _plays(self, where: str) -> bool:
        """Play the trick if it is one for this step (`rcpt` or `dot`); return whether it was played."""
        if not self._trick.endswith(where):
            return False
        if self._trick.startswith("hang up"):
            raise HangUp
        if self._trick.startswith("stall"):
            self._stall()
        if self._trick.startswith("drip"):
            self._drip()
        if self._trick.startswith("no end"):
            self._never_end()
        self._say(f"{self._trick[:3]} a trick")
        return True

    def _stall(self) -> None:
        self._man.closing.wait(STALLS_S)
        raise HangUp

    def _drip(self) -> None:
        for byte in b"250-" + b"a" * 1000:
            self._line.wfile.write(bytes([byte]))
            self._man.closing.wait(0.05)
        raise HangUp

    def _never_end(self) -> None:
        while not self._man.closing.is_set():
            self._say("250-and")

    def _say(self, reply: str) -> None:
        self._line.wfile.write(f"{reply}\r\n".encode())
