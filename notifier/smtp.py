"""A mail in two steps, so that a crash or a silence tells which of them it hit.

`offer` goes as far as the body without its final dot: a server never counts that as a message. `finish` sends the
dot: after it, only the server's reply says what became of the message (RFC 1047).

Whatever goes wrong in a mail ends its connection: the next mail begins on a new one and finds nothing of this one.
"""

import smtplib
from contextlib import suppress

from notifier import smtp_url
from notifier.mime import Mail
from notifier.smtp_connection import NoConnection, connect, described
from runtime import faults
from stream.events import email_address

OK = 250
START_MAIL_INPUT = 354
CLOSING = 421
TOO_MANY_RECIPIENTS = 552
_ABOUT_THE_SESSION = frozenset({500, 502, 503, 504, 530, 534, 535, 538})
_REPLY_CHARS = 500


class NotTaken(Exception):
    """The server said no, or said nothing, before the final dot; nothing was sent. `final`: for good."""

    def __init__(self, error: str, *, final: bool) -> None:
        super().__init__(error)
        self.final = final


class NoReply(Exception):
    """The server vanished after the final dot: whether it took the mail is not known."""


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


class MailServer:
    """One connection to the server at `url`, opened when needed and kept while it is good."""

    def __init__(self, url: str, timeout_s: float, ca: str | None = None) -> None:
        self._url = smtp_url.parse(url)
        self._trust = None if self._url.tls == "off" else smtp_url.trust(ca)
        self._timeout_s = timeout_s
        self._smtp: smtplib.SMTP | None = None

    @faults.before("sender.after_claim")
    def offer(self, sender: str, recipient: str, mail: Mail) -> None:
        """Bring the mail up to its final dot. `mail` has no To: it is written here, as the very text of RCPT.

        Raises NotTaken, Unusable when `recipient` is not an address in its one form, or what composing raises; then
        nothing was sent.
        """
        if email_address.parse(recipient, allow_dotless=True) != recipient:
            raise email_address.Unusable("it is not written as an address is stored")
        body = _written(mail, recipient)
        try:
            smtp = self._smtp = self._begin(sender, international=not recipient.isascii())
            _expect("RCPT", OK, *smtp.docmd("RCPT", f"TO:<{recipient}>"))
            _expect("DATA", START_MAIL_INPUT, *smtp.docmd("DATA"))
            smtp.send(body)
        except NoConnection as failure:
            self.close()
            raise NotTaken(str(failure), final=False) from failure
        except (OSError, smtplib.SMTPException) as failure:
            self.close()
            raise NotTaken(described(failure), final=False) from failure
        except BaseException:
            self.close()
            raise

    @faults.before("sender.before_dot")
    def finish(self) -> None:
        """Send the final dot and hear the reply.

        Raises NotTaken when the server refuses, NoReply when it vanishes or says nothing that can be understood.
        """
        if self._smtp is None:
            raise NotTaken("no mail was offered", final=False)
        try:
            _dot(self._smtp)
            code, reply = self._smtp.getreply()
        except Exception as failure:
            self.close()
            raise NoReply(described(failure)) from failure
        match code // 100:
            case 2:
                return
            case 4 | 5:
                self.close()
                raise _not_taken("dot", code, reply)
            case _:
                self.close()
                raise NoReply(f"the server answered the final dot with {_shown(code, reply)}")

    def close(self) -> None:
        """Drop the connection; a mail that was offered and not finished is not sent."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _begin(self, sender: str, *, international: bool) -> smtplib.SMTP:
        """A connection on which the mail has begun. One that was kept may have been closed by the server meanwhile."""
        if self._smtp is not None:
            with suppress(smtplib.SMTPServerDisconnected, ConnectionError):
                code, reply = _mail(self._smtp, sender, international=international)
                if code != CLOSING:
                    _expect("MAIL", OK, code, reply)
                    return self._smtp
            self.close()
        self._smtp = connect(self._url, self._trust, self._timeout_s)
        _expect("MAIL", OK, *_mail(self._smtp, sender, international=international))
        return self._smtp


@faults.after("sender.after_dot")
def _dot(smtp: smtplib.SMTP) -> None:
    smtp.send(b".\r\n")


def _written(mail: Mail, recipient: str) -> bytes:
    """Return the mail as it goes over the wire: no line of it begins with a dot. To is the very text of RCPT."""
    return b"To: " + recipient.encode() + b"\r\n" + mail.as_bytes(international=not recipient.isascii())


def _mail(smtp: smtplib.SMTP, sender: str, *, international: bool) -> tuple[int, bytes]:
    """Begin a mail; one to an address beyond ASCII with SMTPUTF8 (RFC 6531)."""
    body = " BODY=8BITMIME" if smtp.has_extn("8bitmime") else ""  # RFC 6152: Korean text goes as it is
    if not international:
        return smtp.docmd("MAIL", f"FROM:<{sender}>{body}")
    if not smtp.has_extn("smtputf8"):
        said = "the reader's address is not ASCII, and the mail server does not offer SMTPUTF8"
        raise NotTaken(said, final=True)
    smtp.command_encoding = "utf-8"
    return smtp.docmd("MAIL", f"FROM:<{sender}> SMTPUTF8{body}")


def _expect(command: str, expected: int, code: int, reply: bytes) -> None:
    """Raise NotTaken unless the reply is of the expected class (RFC 5321 §4.2.1: the first digit decides)."""
    if code // 100 != expected // 100:
        raise _not_taken(command, code, reply)


def _not_taken(command: str, code: int, reply: bytes) -> NotTaken:
    return NotTaken(f"{_shown(code, reply)} (to {command})", final=is_final(command, code))


def _shown(code: int, reply: bytes) -> str:
    return f"{code} {reply.decode(errors='replace')[:_REPLY_CHARS]}"
