"""Send a mail in two steps, so that after a crash or timeout it is known whether the mail may have been sent.

`offer` sends everything but the final dot; until then a server never accepts a message. After the dot, only the
server's reply, read by `read_dot_reply`, says whether it accepted the mail (RFC 1047).
"""

import smtplib
import ssl
from dataclasses import dataclass

from notifier.mail.mime import Mail
from notifier.sending.smtp_connection import describe
from notifier.sending.smtp_session import Dialogue, SmtpSession
from stream.events.text import email_address

OK = 250
START_MAIL_INPUT = 354
TOO_MANY_RECIPIENTS = 552
DOT = b".\r\n"
_SESSION_CODES = frozenset({500, 502, 503, 504, 530, 534, 535, 538})
_DROPS = (smtplib.SMTPServerDisconnected, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_REPLY_CHARS = 500


class NotTaken(Exception):
    """The server did not accept the mail, so it was not sent. If `final`, retrying does not help.

    `by_server` is True if the cause is the server or the connection to it, so that it says nothing about this mail.
    """

    def __init__(self, error: str, *, final: bool, by_server: bool = False) -> None:
        super().__init__(error)
        self.final = final
        self.by_server = by_server


class NotBegun(NotTaken):
    """No mail can begin on this connection, or it cannot be opened. Another connection may work."""

    def __init__(self, error: str) -> None:
        super().__init__(error, final=False, by_server=True)


class Dropped(NotBegun):
    """The server closed the connection before it replied to commands sent in one packet: any of them may be the cause.

    Sent one by one, they show which.
    """


class NoReply(Exception):
    """The connection failed after the final dot, so it is not known whether the server accepted the mail."""


@dataclass(frozen=True, slots=True)
class SmtpEnvelope:
    """A mail with the addresses for MAIL FROM and RCPT TO.

    `body` is sent unchanged: headers and text, lines ended by CRLF, none that begins with a dot, without the final dot.
    """

    sender: str
    recipient: str
    body: bytes


def envelope(sender: str, recipient: str, mail: Mail) -> SmtpEnvelope:
    """Return `mail` addressed to `recipient`, which is written unchanged in To. No line of the body begins with a dot.

    Raises Unusable if `recipient` is not in canonical form, and ValueError if a header holds a line break or a lone
    surrogate.
    """
    if email_address.parse(recipient, allow_dotless=True) != recipient:
        raise email_address.Unusable("it is not in canonical form")
    written = mail.as_bytes(international=not recipient.isascii())
    return SmtpEnvelope(sender, recipient, b"To: " + recipient.encode() + b"\r\n" + written)


def is_final(command: str, code: int) -> bool:
    """Return whether a reply to `command` (MAIL, RCPT, DATA or dot) refuses this mail permanently.

    RFC 5321 §4.2.1: 4yz is temporary, 5yz permanent. These 5yz are not final, because all mails would get them and
    the operator can fix the cause:
    - any reply to the greeting, EHLO, STARTTLS, AUTH and MAIL: they concern the notifier and MAIL_FROM, not the reader;
    - 500, 502, 503, 504 (the session: §4.2.2; 503 is a sequence error of ours) and 530, 534, 535, 538 (RFC 4954);
    - 552 to RCPT, which §4.5.3.1.10 says to treat as temporary.
    """
    if code // 100 != 5 or code in _SESSION_CODES or command == "MAIL":  # noqa: PLR2004 - the class of the reply
        return False
    return not (command == "RCPT" and code == TOO_MANY_RECIPIENTS)


def is_by_server(command: str, code: int) -> bool:
    """Return whether a reply to `command` that refuses a mail concerns the server or the session, not this mail.

    So are any reply to MAIL, and the replies about the session. A 4yz to RCPT, such as greylisting or a full mailbox,
    concerns the mail, and so does one to its body. 421 is one of them: until then the server has worked, and some
    servers close the connection at mails that they do not like.
    """
    return code in _SESSION_CODES or command == "MAIL"


def is_answer(result: Exception | None) -> bool:
    """Return whether the server has answered a mail, given the result of its offer or its dot (None: accepted)."""
    return result is None or (isinstance(result, NotTaken) and not result.by_server)


def offer(session: SmtpSession, envelope: SmtpEnvelope, *, in_one_packet: bool) -> Dialogue[None]:
    """Send a mail up to its final dot; the commands go `in_one_packet` if the server offers PIPELINING (RFC 2920).

    Raises NotBegun if the connection fails before the reply to MAIL or that reply is temporary, so that another
    connection may do (Dropped if RCPT may be the cause); NotTaken if it fails later or the server refuses the mail.
    """
    commands = _commands(session, envelope)
    pipelined = in_one_packet and session.offers("pipelining")
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
        raise _broken(failure, begun=begun, pipelined=pipelined) from failure


def read_dot_reply(session: SmtpSession) -> Dialogue[None]:
    """Read the server's reply to the final dot.

    Raises NotTaken if it refuses, NoReply if the connection fails or times out, or the reply is neither 2yz, 4yz nor
    5yz.
    """
    try:
        code, reply = yield from session.reply()
    except (OSError, smtplib.SMTPException) as failure:
        raise NoReply(describe(failure)) from failure
    match code // 100:
        case 2:
            return
        case 4 | 5:
            raise _refusal("dot", code, reply)
        case _:
            raise NoReply(f"the server answered the final dot with {_describe_reply('dot', code, reply)}")


def _broken(failure: Exception, *, begun: bool, pipelined: bool) -> NotTaken:
    """Return the result of an offer whose connection has failed.

    A server that has replied to MAIL and then closes the connection does so because of this mail. One that says nothing
    in time may be stuck.
    """
    error, is_drop = describe(failure), isinstance(failure, _DROPS)
    if begun:
        return NotTaken(error, final=False, by_server=not is_drop)
    return Dropped(error) if is_drop and pipelined else NotBegun(error)


def _commands(session: SmtpSession, envelope: SmtpEnvelope) -> tuple[tuple[str, bytes, int], ...]:
    """Return each command with its line and the expected reply code.

    Raises NotTaken if the address is not ASCII and the server does not offer SMTPUTF8 (RFC 6531).
    """
    options = " BODY=8BITMIME" if session.offers("8bitmime") else ""
    if not envelope.recipient.isascii():
        if not session.offers("smtputf8"):
            error = "the recipient's address is not ASCII, and the mail server does not offer SMTPUTF8"
            raise NotTaken(error, final=True)
        options = f" SMTPUTF8{options}"
    return (
        ("MAIL", f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode(), OK),
        ("RCPT", f"RCPT TO:<{envelope.recipient}>\r\n".encode(), OK),
        ("DATA", b"DATA\r\n", START_MAIL_INPUT),
    )


def _expect(command: str, expected: int, code: int, reply: bytes) -> None:
    """Raise NotTaken or NotBegun unless the first digit of the reply is as expected (RFC 5321 §4.2.1)."""
    if code // 100 == expected // 100:
        return
    if command == "MAIL" and code // 100 == 4:  # noqa: PLR2004 - the class of the reply
        raise NotBegun(_describe_reply(command, code, reply))
    raise _refusal(command, code, reply)


def _refusal(command: str, code: int, reply: bytes) -> NotTaken:
    error = _describe_reply(command, code, reply)
    return NotTaken(error, final=is_final(command, code), by_server=is_by_server(command, code))


def _describe_reply(command: str, code: int, reply: bytes) -> str:
    return f"{code} {reply.decode(errors='replace')[:_REPLY_CHARS]} (to {command})"
