"""A mail in two steps, so that a crash or a silence tells which of them it hit.

`offer` goes as far as the body without its final dot: a server never counts that as a message. `finish` sends the
dot: after it, only the server's reply says what became of the message (RFC 1047).
"""

import re
import smtplib
import socket
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from urllib.parse import unquote, urlsplit

from runtime import faults

_LEADING_DOT = re.compile(rb"(?m)^\.")
GO_AHEAD = 354
DONE = 250
GOOD_NIGHT = 421


class NotTaken(Exception):
    """The server said no, or said nothing, before the final dot; nothing was sent. `final`: for good."""

    def __init__(self, error: str, *, final: bool) -> None:
        super().__init__(error)
        self.final = final


class NoReply(Exception):
    """The server vanished after the final dot: whether it took the mail is not known."""


class MailServer:
    """One connection to the server at `url`, opened when needed and kept while it is good."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = urlsplit(url)
        self._timeout_s = timeout_s
        self._smtp: smtplib.SMTP | None = None

    @faults.before("sender.after_claim")
    def offer(self, mail: EmailMessage) -> None:
        """Bring the mail up to its final dot.

        Raises NotTaken; then nothing was sent.
        """
        try:
            smtp = self._smtp = self._begin(str(mail["From"]))
            self._say(*smtp.rcpt(str(mail["To"])))
            code, reply = smtp.docmd("DATA")
            self._say(DONE if code == GO_AHEAD else code, reply)
            smtp.send(_LEADING_DOT.sub(b"..", mail.as_bytes(policy=WIRE)))
        except smtplib.SMTPResponseException as refused:
            self.close()
            raise NotTaken(
                f"{refused.smtp_code} {refused.smtp_error!r}", final=_is_final(refused.smtp_code)
            ) from refused
        except (OSError, smtplib.SMTPException) as failure:
            self.close()
            raise NotTaken(f"{type(failure).__name__}: {failure}", final=False) from failure

    @faults.before("sender.before_dot")
    def finish(self) -> None:
        """Send the final dot and hear the reply.

        Raises NotTaken when the server refuses, NoReply when it vanishes.
        """
        if self._smtp is None:
            raise NotTaken("no mail was offered", final=False)
        try:
            _dot(self._smtp)
            code, reply = self._smtp.getreply()
        except (OSError, smtplib.SMTPException) as failure:
            self.close()
            raise NoReply(f"{type(failure).__name__}: {failure}") from failure
        if code != DONE:
            self.close()
            raise NotTaken(f"{code} {reply!r}", final=_is_final(code))

    def close(self) -> None:
        """Drop the connection; a mail that was offered and not finished is not sent."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _begin(self, sender: str) -> smtplib.SMTP:
        """A connection on which the mail has begun. One that was kept may have been closed by the server meanwhile."""
        if self._smtp is not None:
            with suppress(smtplib.SMTPServerDisconnected, ConnectionError):
                code, reply = self._smtp.mail(sender)
                if code != GOOD_NIGHT:
                    self._say(code, reply)
                    return self._smtp
            self.close()
        smtp = self._connect()
        self._say(*smtp.mail(sender))
        return smtp

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port or 0
        if self._url.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=self._timeout_s)
        else:
            smtp = smtplib.SMTP(host, port, timeout=self._timeout_s)
        if smtp.sock is not None:
            # The dot follows the body as a packet of its own: Nagle would hold it for the server's delayed ACK, 40 ms.
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if self._url.scheme != "smtps" and smtp.has_extn("starttls"):
            smtp.starttls()
        if self._url.username:
            smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
        return smtp

    @staticmethod
    def _say(code: int, reply: bytes) -> None:
        if code // 100 != DONE // 100:
            raise smtplib.SMTPResponseException(code, reply)


@faults.after("sender.after_dot")
def _dot(smtp: smtplib.SMTP) -> None:
    smtp.send(b".\r\n")


def _is_final(code: int) -> bool:
    """RFC 5321 §4.2.1: 5yz will not change by itself, 4yz may. 421 and silence say nothing of the mail."""
    return code // 100 == 5  # noqa: PLR2004 - the class of the reply
