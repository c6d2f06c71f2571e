"""A mail in two steps, so that a crash or a silence tells which of them it hit.

`offer` goes as far as the body without its final dot: a server never counts that as a message. After the dot only the
server's reply, which `hear` reads, says what became of the message (RFC 1047).
"""

import smtplib
from dataclasses import dataclass

from notifier.mail.mime import Mail
from notifier.sending.smtp_connection import described
from notifier.sending.smtp_session import Dialogue, Session
from stream.events import email_address

OK = 250
START_MAIL_INPUT = 354
TOO_MANY_RECIPIENTS = 552
DOT = b".\r\n"
_ABOUT_THE_SESSION = frozenset({500, 502, 503, 504, 530, 534, 535, 538})
_REPLY_CHARS = 500


class NotTaken(Exception):
    """The server said no, or said nothing, before the final dot; nothing was sent. `final`: for good."""

    def __init__(self, error: str, *, final: bool) -> None:
        super().__init__(error)
        self.final = final


class NotBegun(NotTaken):
    """No mail can begin on this connection, or there is none; another one may do better."""

    def __init__(self, error: str) -> None:
        super().__init__(error, final=False)


class NoReply(Exception):
    """The server vanished after the final dot: whether it took the mail is not known."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail as bytes, and its two addresses as the server is told them."""

    sender: str
    recipient: str
    body: bytes


def envelope(sender: str, recipient: str, mail: Mail) -> Envelope:
    """Return `mail` for `recipient`, whose very text is written in To. No line of a mail begins with a dot.

    Raises Unusable when `recipient` is not an address in its one form, or what writing the mail raises.
    """
    if email_address.parse(recipient, allow_dotless=True) != recipient:
        raise email_address.Unusable("it is not written as an address is stored")
    written = mail.as_bytes(international=not recipient.isascii())
    return Envelope(sender, recipient, b"To: " + recipient.encode() + b"\r\n" + written)


def is_final(command: str, code: int) -> bool:
    """Return whether a reply to a mail's `command` (MAIL, RCPT, DATA or dot) refuses this mail for good.

    RFC 5321 §4.2.1: 4yz may change by itself, 5yz will not. These 5yz are not final, because another mail would get
    them as well and the operator can mend the cause:
    - any reply to the greeting, EHLO, STARTTLS, AUTH and MAIL, which are about us and MAIL_FROM, not about the reader;
    - 500, 502, 503, 504 (the session: §4.2.2; 503 is a sequence error of ours) and 530, 534, 535, 538 (RFC 4954);
    - 552 to RCPT, which §4.5.3.1.10 says to treat as temporary.
    """
    if code // 100 != 5 or code in _ABOUT_THE_SESSION or command == "MAIL":  # noqa: PLR2004 - the class of the reply
        return False
    return not (command == "RCPT" and code == TOO_MANY_RECIPIENTS)


def offer(session: Session, envelope: Envelope) -> Dialogue[None]:
    """Bring a mail up to its final dot; with PIPELINING (RFC 2920) the commands go in one packet.

    Raises NotTaken; NotBegun while the server has not accepted MAIL.
    """
    commands = _commands(session, envelope)
    pipelined = session.offers("pipelining")
    begun = False
    try:
        if pipelined:
            session.send(b"".join(line for _, line, _ in commands))
        for command, line, expected in commands:
            if not pipelined:
                session.send(line)
            code, reply = yield from session.reply()
            _expect(command, expected, code, reply)
            begun = True
        session.send(envelope.body)
        yield from session.sent()
    except (OSError, smtplib.SMTPException) as failure:
        said = described(failure)
        raise NotTaken(said, final=False) if begun else NotBegun(said) from failure


def hear(session: Session) -> Dialogue[None]:
    """Hear what the server says to the final dot.

    Raises NotTaken when it refuses, NoReply when it vanishes or says nothing that can be understood.
    """
    try:
        code, reply = yield from session.reply()
    except (OSError, smtplib.SMTPException) as failure:
        raise NoReply(described(failure)) from failure
    match code // 100:
        case 2:
            return
        case 4 | 5:
            raise NotTaken(_shown("dot", code, reply), final=is_final("dot", code))
        case _:
            raise NoReply(f"the server answered the final dot with {_shown('dot', code, reply)}")


def _commands(session: Session, envelope: Envelope) -> tuple[tuple[str, bytes, int], ...]:
    """Return each command with its line and the reply it should get. RFC 6531: beyond ASCII with SMTPUTF8 only."""
    options = " BODY=8BITMIME" if session.offers("8bitmime") else ""
    if not envelope.recipient.isascii():
        if not session.offers("smtputf8"):
            said = "the reader's address is not ASCII, and the mail server does not offer SMTPUTF8"
            raise NotTaken(said, final=True)
        options = f" SMTPUTF8{options}"
    return (
        ("MAIL", f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode(), OK),
        ("RCPT", f"RCPT TO:<{envelope.recipient}>\r\n".encode(), OK),
        ("DATA", b"DATA\r\n", START_MAIL_INPUT),
    )


def _expect(command: str, expected: int, code: int, reply: bytes) -> None:
    """Raise NotTaken unless the reply is of the expected class (RFC 5321 §4.2.1: the first digit decides)."""
    if code // 100 == expected // 100:
        return
    said = _shown(command, code, reply)
    if command == "MAIL" and code // 100 == 4:  # noqa: PLR2004 - the class of the reply
        raise NotBegun(said)
    raise NotTaken(said, final=is_final(command, code))


def _shown(command: str, code: int, reply: bytes) -> str:
    return f"{code} {reply.decode(errors='replace')[:_REPLY_CHARS]} (to {command})"
