"""Open a connection to the mail server, with TLS and login as SMTP_URL says."""

import smtplib
import socket
import ssl

from notifier.smtp_url import SmtpUrl


class NoConnection(Exception):
    """The connection cannot be used; the message says why and what to do. Never a final refusal of a mail."""


def connect(url: SmtpUrl, tls_context: ssl.SSLContext | None, timeout_s: float) -> smtplib.SMTP:
    """Connect, use STARTTLS if it is offered or required, and log in if the URL has a user.

    `tls_context` verifies the server's certificate and name; it is None only if `url` turns TLS off. Raises
    NoConnection if that fails, UnicodeError if the host or the login cannot be encoded.
    """
    try:
        smtp = _open(url, tls_context, timeout_s)
        try:
            _secure(smtp, url, tls_context)
            _log_in(smtp, url)
        except BaseException:
            smtp.close()
            raise
    except ssl.SSLCertVerificationError as failure:
        raise NoConnection(
            f"the mail server {url.name} has no valid certificate, so nothing was sent to it:"
            f" {failure.verify_message}. Correct the host in SMTP_URL, or set SMTP_CA to its authority's certificate"
        ) from failure
    except ssl.SSLError as failure:
        raise NoConnection(f"the mail server {url.name} failed to set up TLS: {failure.reason or failure}") from failure
    except (OSError, smtplib.SMTPException) as failure:
        raise NoConnection(f"the mail server {url.name} cannot be used: {describe(failure)}") from failure
    return smtp


def describe(failure: Exception) -> str:
    """Return the server's reply if `failure` has one, else its type and message."""
    if isinstance(failure, smtplib.SMTPResponseException):
        error = failure.smtp_error
        return f"{failure.smtp_code} {error.decode(errors='replace') if isinstance(error, bytes) else error}"
    return f"{type(failure).__name__}: {failure}"


def _open(url: SmtpUrl, tls_context: ssl.SSLContext | None, timeout_s: float) -> smtplib.SMTP:
    if url.tls == "implicit":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(url.host, url.port, timeout=timeout_s, context=tls_context)
    else:
        smtp = smtplib.SMTP(url.host, url.port, timeout=timeout_s)
    if smtp.sock is not None:
        # The dot is a packet of its own: Nagle's algorithm would delay it until the server's delayed ACK, 40 ms.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _secure(smtp: smtplib.SMTP, url: SmtpUrl, tls_context: ssl.SSLContext | None) -> None:
    smtp.ehlo_or_helo_if_needed()
    if url.tls in ("implicit", "off"):
        return
    if smtp.has_extn("starttls"):
        smtp.starttls(context=tls_context)
        smtp.ehlo_or_helo_if_needed()  # RFC 3207 §4.2: extensions must be requested again after STARTTLS
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
            f"the mail server {url.name} refused the login of SMTP_URL: {describe(failure)}"
        ) from failure
