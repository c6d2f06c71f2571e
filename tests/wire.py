"""HTTP letter by letter: what no client library would send, and what came back for it."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Answer:
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

    def say(self, raw: bytes) -> None:
        """The other side may have hung up before it has heard all."""
        with suppress(OSError):
            self._socket.sendall(raw)

    def say_no_more(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, bodiless: bool = False) -> Answer | None:
        """The next answer; None when the other side closes without one."""
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
        """Whether the other side closes, or has closed, with nothing more to say."""
        return not self._heard and not self._listen()

    def _listen(self) -> bool:
        try:
            heard = self._socket.recv(65_536)
        except ConnectionResetError:
            return False
        self._heard += heard
        return bool(heard)
