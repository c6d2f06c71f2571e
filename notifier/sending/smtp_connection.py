"""A connection to the mail server, secured and logged in as far as SMTP_URL asks for."""

import smtplib
import socket
import ssl

from notifier.smtp_url import SmtpUrl


class NoConnection(Exception):
    """There is no connection that a mail could be sent over; the message says why and what to do. Never final."""


def connect(url: SmtpUrl, trust: ssl.SSLContext | None, timeout_s: float) -> smtplib.SMTP:
    """Connect, STARTTLS where it is offered or required, log in where there is a user.

    `trust` verifies the server's certificate and name; None only where `url` is without TLS. Raises NoConnection.
    """
    try:
        smtp = _open(url, trust, timeout_s)
        try:
            _secure(smtp, url, trust)
            _log_in(smtp, url)
        except BaseException:
            smtp.close()
            raise
    except ssl.SSLCertVerificationError as failure:
        raise NoConnection(
            f"the mail server {url.name} could not prove who it is, so nothing was sent to it:"
            f" {failure.verify_message}. Correct the host in SMTP_URL, or name its authority's certificate in SMTP_CA"
        ) from failure
    except ssl.SSLError as failure:
        raise NoConnection(f"the mail server {url.name} did not agree on TLS: {failure.reason or failure}") from failure
    except (OSError, smtplib.SMTPException) as failure:
        raise NoConnection(f"the mail server {url.name} cannot be used: {described(failure)}") from failure
    return smtp


def described(failure: Exception) -> str:
    """Return what a failure says: the server's reply where there is one."""
    if isinstance(failure, smtplib.SMTPResponseException):
        error = failure.smtp_error
        return f"{failure.smtp_code} {error.decode(errors='replace') if isinstance(error, bytes) else error}"
    return f"{type(failure).__name__}: {failure}"


def _open(url: SmtpUrl, trust: ssl.SSLContext | None, timeout_s: float) -> smtplib.SMTP:
    if url.tls == "implicit":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(url.host, url.port, timeout=timeout_s, context=trust)
    else:
        smtp = smtplib.SMTP(url.host, url.port, timeout=timeout_s)
    if smtp.sock is not None:
        # The dot follows the body as a packet of its own: Nagle would hold it for the server's delayed ACK, 40 ms.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _secure(smtp: smtplib.SMTP, url: SmtpUrl, trust: ssl.SSLContext | None) -> None:
    smtp.ehlo_or_helo_if_needed()
    if url.tls in ("implicit", "off"):
        return
    if smtp.has_extn("starttls"):
        smtp.starttls(context=trust)
        smtp.ehlo_or_helo_if_needed()  # RFC 3207 §4.2: what a server offers is to be asked again
    elif url.tls == "required":
        raise NoConnection(
            f"the mail server {url.name} offers no STARTTLS, and SMTP_URL has a user or ?tls=required, so nothing was"
            " sent to it. Use smtps://, or ?tls=off where the network is trusted"
        )


def _log_in(smtp: smtplib.SMTP, url: SmtpUrl) -> None:
    if url.user is None:
        return
    try:
        smtp.login(url.user, url.password)
    except smtplib.SMTPException as failure:
        raise NoConnection(
            f"the mail server {url.name} did not let the user of SMTP_URL in: {described(failure)}"
        ) from failure
