"""HTTP byte by byte: sends what no client library would send, and reads the answers."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Answer:
    """An HTTP response; `headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """One connection to the gateway at `url`."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname or "", address.port or 80), timeout=TIMEOUT_S)
        self._heard = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, raw: bytes) -> None:
        """Send bytes; ignore that the server may close the connection before it has read all."""
        with suppress(OSError):
            self._socket.sendall(raw)

    def end_sending(self) -> None:
        """Close the connection in the direction to the server; answers can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, bodiless: bool = False) -> Answer | None:
        """Return the next answer; None when the server closes the connection without one.

        A `bodiless` answer, such as one to HEAD, has no body whatever its Content-Length.
        """
        while b"\r\n\r\n" not in self._heard:
            if not self._listen():
                return None
        head, _, self._heard = self._heard.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = 0 if bodiless else int(headers.get("content-length", 0))
        while len(self._heard) < length and self._listen():
            continue
        body, self._heard = self._heard[:length], self._heard[length:]
        return Answer(int(first.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Wait for data or the end; return whether the server has closed the connection and nothing is left to read."""
        return not self._heard and not self._listen()

    def _listen(self) -> bool:
        try:
            received = self._socket.recv(65_536)
        except ConnectionResetError:
            return False
        self._heard += received
        return bool(received)
