"""Connections to the mail server that are served beside each other, in one thread: nothing here blocks but `together`.

A dialogue is a generator: it yields while it waits for the server, and ends when its part of the mail is done.
"""

import select
import smtplib
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
Dialogue = Generator[None, None, T]

CHUNK = 65_536
LONGEST_REPLY = 65_536
CODE_DIGITS = 3
LOOKS_EVERY_S = 0.2
WAITS = Exception("the dialogue goes on")
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Session:
    """One connection that `smtplib` opened. `timeout_s` bounds each whole reply."""

    def __init__(self, smtp: smtplib.SMTP, timeout_s: float) -> None:
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the server has closed the connection")
        self._smtp = smtp
        self._socket = smtp.sock
        self._socket.settimeout(0)
        self._timeout_s = timeout_s
        self._unsent = b""
        self._received = b""
        self.events = select.POLLIN
        self.deadline = 0.0
        self.used_at = time.monotonic()

    def offers(self, extension: str) -> bool:
        """Return whether the server's EHLO named this extension."""
        return self._smtp.has_extn(extension)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Send as much as goes at once; the rest goes with `sent` or `reply`."""
        self._unsent += data
        self._flush()

    def sent(self) -> Dialogue[None]:
        """Wait until all is handed to the network."""
        self.deadline = time.monotonic() + self._timeout_s
        self.events = select.POLLOUT
        while self._unsent:
            yield
            self._flush()

    def reply(self) -> Dialogue[tuple[int, bytes]]:
        """Wait for the server's next reply: its code, -1 for one without, and its text.

        However slowly the server drips it, its time is up at the deadline.
        """
        self.deadline = time.monotonic() + self._timeout_s
        while (found := _reply(self._received)) is None:
            if not self._receive():
                self.events = select.POLLIN | (select.POLLOUT if self._unsent else 0)
                yield
                self._flush()
        code, text, length = found
        self._received = self._received[length:]
        self.used_at = time.monotonic()
        return code, text

    def is_quiet(self) -> bool:
        """Return whether the server has said nothing that nobody asked for."""
        with suppress(OSError, smtplib.SMTPException):
            return not self._received and not self._receive()
        return False

    def quit(self) -> None:
        """Take leave, and close without waiting for the answer."""
        with suppress(OSError):
            self.send(b"QUIT\r\n")
        self.close()

    def close(self) -> None:
        """Close; a mail without its final dot is not sent."""
        self._smtp.close()

    def _flush(self) -> None:
        with suppress(*_NOT_NOW):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]

    def _receive(self) -> bool:
        """Return whether something came."""
        try:
            data = self._socket.recv(CHUNK)
        except _NOT_NOW:
            return False
        if not data:
            raise smtplib.SMTPServerDisconnected("the server closed the connection")
        self._received += data
        if len(self._received) > LONGEST_REPLY:
            raise smtplib.SMTPServerDisconnected("the server's reply has no end")
        return True


def together(
    dialogues: Mapping[Session, Dialogue[None]], interruption: Callable[[], Exception | None] = lambda: None
) -> dict[Session, Exception | None]:
    """Hold dialogues beside each other until each has ended; what each raised, None where all went well.

    One that waits past its session's deadline gets a TimeoutError. `interruption` is asked several times a second for
    something to raise in all that still wait.
    """
    ended = {session: _step(dialogue) for session, dialogue in dialogues.items()}
    while waiting := {session: dialogues[session] for session, end in ended.items() if end is WAITS}:
        ready, interrupted = _poll(waiting), interruption()
        for session, dialogue in waiting.items():
            if session in ready:
                ended[session] = _step(dialogue)
            elif interrupted:
                ended[session] = _step(dialogue, interrupted)
            elif time.monotonic() >= session.deadline:
                ended[session] = _step(dialogue, TimeoutError("timed out"))
    return ended


def _step(dialogue: Dialogue[None], failure: Exception | None = None) -> Exception | None:
    """Let a dialogue go on, with `failure` raised in it: what it raises, None at its end, WAITS while it goes on."""
    try:
        if failure:
            dialogue.throw(failure)
        else:
            next(dialogue)
    except StopIteration:
        return None
    except Exception as raised:  # noqa: BLE001 - it is this connection's alone
        return raised
    return WAITS


def _poll(waiting: Mapping[Session, Dialogue[None]]) -> set[Session]:
    """Return who can go on; nobody when the next deadline passes, or after LOOKS_EVERY_S."""
    poll, by_number = select.poll(), {}
    for session in waiting:
        by_number[session.fileno()] = session
        poll.register(session.fileno(), session.events)
    left = min(session.deadline for session in waiting) - time.monotonic()
    found = poll.poll(max(0.0, min(left, LOOKS_EVERY_S)) * 1000)
    return {by_number[number] for number, _ in found}


def _reply(received: bytes) -> tuple[int, bytes, int] | None:
    """Return code, text and length of the first reply (RFC 5321 §4.2); None while it is not all there."""
    texts, start = [], 0
    while (end := received.find(b"\n", start)) >= 0:
        line = received[start:end].rstrip(b"\r")
        start = end + 1
        texts.append(line[CODE_DIGITS + 1 :].strip())
        code = int(line[:CODE_DIGITS]) if line[:CODE_DIGITS].isdigit() else -1
        if code < 0 or line[CODE_DIGITS : CODE_DIGITS + 1] != b"-":
            return code, b"\n".join(texts), start
    return None
