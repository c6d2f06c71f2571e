"""A relay between a client and a server that can refuse, fall silent, or cut the line at the worst moment."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a RST
COMMIT = b"COMMIT\x00"  # as a client of Postgres says it


@dataclass
class Proxy:
    """`deaf_to` are words: when a transaction that holds them is committed, its client never hears of it."""

    server: tuple[str, int]
    port: int = 0
    deaf_to: bytes = b""
    unheard: Event = field(default_factory=Event)
    silent: bool = False
    lines: list[socket.socket] = field(default_factory=list)
    listener: socket.socket | None = None

    def open(self) -> None:
        listener = self.listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """From now on nobody is let in, and whoever is in is thrown out."""
        listener, self.listener = self.listener, None
        if listener:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        while self.lines:
            _cut(self.lines.pop())

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self.server)
                self.lines += [client, server]
                line = _Line(self, client, server)
                for pump in (line.ask, line.answer):
                    Thread(target=pump, daemon=True).start()


@dataclass
class _Line:
    """One connection; `said` is what its client has said in this transaction."""

    proxy: Proxy
    client: socket.socket
    server: socket.socket
    said: bytes = b""
    deaf: bool = False

    def ask(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(CHUNK):
                self.said += data
                wanted = self.proxy.deaf_to
                if COMMIT in data:
                    self.deaf = bool(wanted) and wanted in self.said
                    self.said = b""
                if not self.proxy.silent:
                    self.server.sendall(data)
        self._end()

    def answer(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(CHUNK):
                if self.deaf:  # it is committed, and only we know
                    self.proxy.deaf_to = b""
                    self.proxy.unheard.set()
                    break
                self.client.sendall(data)
        self._end()

    def _end(self) -> None:
        for side in (self.client, self.server):
            _cut(side)


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        line.shutdown(socket.SHUT_RDWR)
    line.close()


@contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """A relay to this server, on a port of its own."""
    relay = Proxy((host, port))
    relay.open()
    try:
        yield relay
    finally:
        relay.refuse()
