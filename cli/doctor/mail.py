"""Checks the mail server: connection, TLS, login, and that it accepts the sender. No mail is sent."""

import smtplib
from collections.abc import Iterator, Mapping

from cli.doctor.finding import Finding, ok, skipped, wrong
from notifier import smtp_url
from notifier.mail import branding
from notifier.sending.smtp_connection import NoConnection, connect
from runtime.config.settings import value_of

TIMEOUT_S = 5.0
SUCCESS = 2


def check(env: Mapping[str, str]) -> Iterator[Finding]:
    """Connect to the mail server as the notifier does, and begin a mail without completing it; yield the finding.

    `skipped` without SMTP_URL.
    """
    address = value_of(env, "SMTP_URL")
    if not address:
        yield skipped("mail", "SMTP", "SMTP_URL is not set here", "Set SMTP_URL and MAIL_FROM to check it.")
        return
    try:
        url = smtp_url.parse(address)
        context = None if url.tls == "off" else smtp_url.trust(value_of(env, "SMTP_CA"))
        _, sender = branding.parse_sender(env.get("MAIL_FROM", ""))
    except ValueError as failure:
        yield wrong("mail", "SMTP", str(failure), "Correct SMTP_URL, SMTP_CA and MAIL_FROM (docs/mails.md).")
        return
    try:
        smtp = connect(url, context, TIMEOUT_S)
    except NoConnection as failure:
        yield wrong("mail", url.name, str(failure), "Start the mail server, or correct SMTP_URL. Mails wait meanwhile.")
        return
    yield _sender(smtp, url, sender)


def _sender(smtp: smtplib.SMTP, url: smtp_url.SmtpUrl, sender: str) -> Finding:
    try:
        with smtp:
            code, reply = smtp.mail(sender)
            smtp.rset()
    except (OSError, smtplib.SMTPException) as failure:
        return wrong("mail", url.name, f"{type(failure).__name__}: {failure}", "Look into the mail server's log.")
    if code // 100 != SUCCESS:
        text = f"it refuses MAIL_FROM {sender}: {code} {reply.decode(errors='replace')}"
        return wrong("mail", url.name, text, "Set MAIL_FROM to a sender that this server accepts.")
    return ok("mail", url.name, f"TLS {url.tls}, {'logged in' if url.user else 'no login'}, accepts {sender}")
