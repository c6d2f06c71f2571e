"""Run several SMTP connections in one thread. Only `run_all` blocks.

A dialogue is a generator: it yields while it waits for the server, and returns when its step is done.
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
MAX_REPLY = 65_536
CODE_DIGITS = 3
POLL_S = 0.2
STILL_RUNNING = Exception("the dialogue is still running")
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SmtpSession:
    """A connection opened by `smtplib`. `timeout_s` limits the time for each whole reply, in seconds.

    `on_reply` is called after each reply. Raises SMTPServerDisconnected if the connection is already closed.
    """

    def __init__(self, smtp: smtplib.SMTP, timeout_s: float, on_reply: Callable[[], None]) -> None:
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the server has closed the connection")
        self._smtp = smtp
        self._socket = smtp.sock
        self._socket.settimeout(0)
        self._timeout_s = timeout_s
        self._on_reply = on_reply
        self._unsent = b""
        self._received = b""
        self.events = select.POLLIN
        self.deadline = 0.0
        self.used_at = time.monotonic()

    def offers(self, extension: str) -> bool:
        """Return whether the server's EHLO reply lists this extension."""
        return self._smtp.has_extn(extension)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Send what fits into the socket's buffer now, without waiting; waiting in `sent` or `reply` sends the rest.

        Raises OSError if the connection is lost, as waiting does.
        """
        self._unsent += data
        self._flush()

    def sent(self) -> Dialogue[None]:
        """Wait until all data given to `send` is in the socket's buffer."""
        self.deadline = time.monotonic() + self._timeout_s
        self.events = select.POLLOUT
        while self._unsent:
            yield
            self._flush()

    def reply(self) -> Dialogue[tuple[int, bytes]]:
        """Wait for the next reply and return its code (-1 if it has none) and its text.

        The deadline applies to the whole reply, however slowly it arrives. Raises SMTPServerDisconnected if the server
        closes the connection or the reply exceeds MAX_REPLY bytes.
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
        self._on_reply()
        return code, text

    def is_quiet(self) -> bool:
        """Return whether the connection is open and the server has sent nothing since the last reply that was read."""
        with suppress(OSError, smtplib.SMTPException):
            return not self._received and not self._receive()
        return False

    def quit(self) -> None:
        """Send QUIT, and close without waiting for the reply."""
        with suppress(OSError):
            self.send(b"QUIT\r\n")
        self.close()

    def close(self) -> None:
        """Close the connection; a mail whose final dot was not sent is not sent."""
        self._smtp.close()

    def _flush(self) -> None:
        with suppress(*_NOT_NOW):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]

    def _receive(self) -> bool:
        """Read what has arrived; return whether anything had.

        Raises SMTPServerDisconnected if the server has closed the connection, or more than MAX_REPLY bytes are unread.
        """
        try:
            data = self._socket.recv(CHUNK)
        except _NOT_NOW:
            return False
        if not data:
            raise smtplib.SMTPServerDisconnected("the server closed the connection")
        self._received += data
        if len(self._received) > MAX_REPLY:
            raise smtplib.SMTPServerDisconnected("the server's reply is too long")
        return True


def run_all(
    dialogues: Mapping[SmtpSession, Dialogue[None]], interruption: Callable[[], Exception | None] = lambda: None
) -> dict[SmtpSession, Exception | None]:
    """Run dialogues concurrently until each has ended; return what each raised, or None.

    In a dialogue that waits past its session's deadline, TimeoutError is raised. `interruption` is called at least
    every POLL_S; an exception that it returns is raised in all waiting dialogues.
    """
    ended = {session: _step(dialogue) for session, dialogue in dialogues.items()}
    while waiting := {session: dialogues[session] for session, end in ended.items() if end is STILL_RUNNING}:
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
    """Resume a dialogue, or raise `failure` in it; return what it raises, None at its end, else STILL_RUNNING."""
    try:
        if failure:
            dialogue.throw(failure)
        else:
            next(dialogue)
    except StopIteration:
        return None
    except Exception as raised:  # noqa: BLE001 - it concerns only this connection
        return raised
    return STILL_RUNNING


def _poll(waiting: Mapping[SmtpSession, Dialogue[None]]) -> set[SmtpSession]:
    """Return the sessions that can go on; none when the next deadline passes, or after POLL_S."""
    poll, by_number = select.poll(), {}
    for session in waiting:
        by_number[session.fileno()] = session
        poll.register(session.fileno(), session.events)
    remaining = min(session.deadline for session in waiting) - time.monotonic()
    found = poll.poll(max(0.0, min(remaining, POLL_S)) * 1000)
    return {by_number[number] for number, _ in found}


def _reply(received: bytes) -> tuple[int, bytes, int] | None:
    """Return code, text and length of the first reply (RFC 5321 §4.2); None until it is complete."""
    texts, start = [], 0
    while (end := received.find(b"\n", start)) >= 0:
        line = received[start:end].rstrip(b"\r")
        start = end + 1
        texts.append(line[CODE_DIGITS + 1 :].strip())
        code = int(line[:CODE_DIGITS]) if line[:CODE_DIGITS].isdigit() else -1
        if code < 0 or line[CODE_DIGITS : CODE_DIGITS + 1] != b"-":
            return code, b"\n".join(texts), start
    return None
