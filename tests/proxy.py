"""A relay between a client and a server that can refuse connections, withhold data, or cut a connection at COMMIT."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a RST
COMMIT = b"COMMIT\x00"  # as in a query of Postgres's protocol


@dataclass
class Proxy:
    """A relay to `server` on `port` of the loopback address, 0 for any.

    When a Postgres transaction that contains the bytes `drop_commit_reply_of` is committed, the connection is cut
    before the client gets the reply; that happens once and sets `reply_dropped`. While `silent`, nothing that clients
    send reaches the server.
    """

    server: tuple[str, int]
    port: int = 0
    drop_commit_reply_of: bytes = b""
    reply_dropped: Event = field(default_factory=Event)
    silent: bool = False
    lines: list[socket.socket] = field(default_factory=list)
    listener: socket.socket | None = None

    def open(self) -> None:
        """Accept connections, on the same port as before if there was one."""
        listener = self.listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """Close all connections, and accept none until `open`."""
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
                connection = _Connection(self, client, server)
                for pump in (connection.forward, connection.reply):
                    Thread(target=pump, daemon=True).start()


@dataclass
class _Connection:
    """One relayed connection; `sent` is what its client has sent in the present transaction."""

    proxy: Proxy
    client: socket.socket
    server: socket.socket
    sent: bytes = b""
    drops_reply: bool = False

    def forward(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(CHUNK):
                self.sent += data
                wanted = self.proxy.drop_commit_reply_of
                if COMMIT in data:
                    self.drops_reply = bool(wanted) and wanted in self.sent
                    self.sent = b""
                if not self.proxy.silent:
                    self.server.sendall(data)
        self._end()

    def reply(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(CHUNK):
                if self.drops_reply:  # the transaction is committed, and the client cannot know
                    self.proxy.drop_commit_reply_of = b""
                    self.proxy.reply_dropped.set()
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
    """Run a relay to this server, on a port of its own, during the block."""
    relay = Proxy((host, port))
    relay.open()
    try:
        yield relay
    finally:
        relay.refuse()
