"""A mail server with TLS, AUTH and SMTPUTF8: aiosmtpd in a thread."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "shop", "p@ss/word"


@dataclass
class Taken:
    """An accepted mail: its envelope, whether it came over TLS, and the user who logged in (None: nobody)."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    user: str | None
    options: list[str]


@dataclass
class Server:
    """A running server, with the mails that it accepted and the passwords of all logins, refused ones included."""

    port: int = 0
    mails: list[Taken] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        user = session.auth_data.decode() if session.auth_data else None
        encrypted = server.transport is not None and server.transport.get_extra_info("sslcontext") is not None
        content = envelope.original_content or b""
        sender, recipients = envelope.mail_from or "", envelope.rcpt_tos
        self.mails.append(Taken(sender, recipients, content, encrypted, user, envelope.mail_options))
        return "250 taken"

    def authenticate(self, _: Any, __: Any, ___: Any, ____: str, given: LoginPassword) -> AuthResult:
        self.logins.append(given.password)
        known = given == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False, auth_data=given.login)


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: bool = False, utf8: bool = True
) -> Iterator[Server]:
    """Run a server on 127.0.0.1 during the block. `tls` is used from the first byte if `implicit`, else for STARTTLS.

    With `login`, USER may log in with PASSWORD; with `tls` too, only after STARTTLS.
    """
    server = Server()
    loop = asyncio.new_event_loop()
    options: dict[str, Any] = {"authenticator": server.authenticate} if login else {}

    def session() -> SMTP:
        starttls = None if implicit else tls
        secure = starttls is not None
        return SMTP(server, enable_SMTPUTF8=utf8, loop=loop, tls_context=starttls, auth_require_tls=secure, **options)

    listening = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0, ssl=tls if implicit else None))
    server.port = listening.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_hang_up(listening), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _hang_up(listening: asyncio.Server) -> None:
    listening.close()
    conversations = asyncio.all_tasks() - {asyncio.current_task()}
    for conversation in conversations:
        conversation.cancel()
    await asyncio.gather(*conversations, return_exceptions=True)
