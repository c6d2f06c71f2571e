"""Sessions in a signed cookie. Only ended sessions are stored, so every replica accepts it, also after a restart.

A session ends IDLE_S after the last request, ABSOLUTE_S after the login, when the user, the password or a group's roles
are no longer configured, and when CONSOLE_TOKEN changes, from which the key is derived. A logout and an operator end it
on every replica (`ended_sessions`).
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

T = TypeVar("T")
IDLE_S = 3600
ABSOLUTE_S = 12 * 3600
ANONYMOUS_S = 3600
"""For how long the form to log in is valid."""
REFRESH_S = 60
"""A cookie older than this is sent anew, with the time of the request."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session. `user` is empty before the login. Times are seconds since 1970 UTC.

    `mark` is that of the user's password; `groups` are set only for a user of an identity provider: the values of the
    claim that gave the user roles.
    """

    id: str
    user: str
    mark: str
    groups: tuple[str, ...]
    began: int
    seen: int


class Sessions:
    """Opens and reads sessions, and makes the CSRF token of each."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"console sessions", "sha256")

    def open(self, now: int, user: str = "", mark: str = "", groups: tuple[str, ...] = ()) -> Session:
        """Return a new session with an id of its own."""
        return Session(secrets.token_urlsafe(16), user, mark, groups, now, now)

    def read(self, cookie: str, now: int) -> Session | None:
        """Return the session of a cookie; None if it was not signed by us or is too old."""
        session = self.unsigned(cookie, Session)
        if session is None:
            return None
        idle_s = IDLE_S if session.user else ANONYMOUS_S
        return session if now - session.seen < idle_s and now - session.began < ABSOLUTE_S else None

    def cookie(self, session: Session) -> str:
        """Return the value of the session's cookie."""
        return self.signed(session)

    def touched(self, session: Session, now: int) -> Session | None:
        """Return the session as used now if its cookie is to be sent anew, else None."""
        return replace(session, seen=now) if now - session.seen >= REFRESH_S else None

    def csrf_token(self, session: Session) -> str:
        """Return the token that every form of this session contains."""
        return hmac.digest(self._key, f"csrf\n{session.id}".encode(), "sha256").hex()

    def permits(self, session: Session, token: str) -> bool:
        """Return whether a form's token is that of the session, in constant time."""
        return hmac.compare_digest(self.csrf_token(session).encode(), token.encode(errors="replace"))

    def signed(self, value: object) -> str:
        """Return a value as text for a cookie, with its signature and its type."""
        content = urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
        return f"{content}.{self._signature(content, type(value))}"

    def unsigned(self, text: str, kind: type[T]) -> T | None:
        """Return the value of this type that `signed` made into a text, or None if it did not."""
        content, _, signature = text.rpartition(".")
        if not hmac.compare_digest(self._signature(content, kind).encode(), signature.encode(errors="replace")):
            return None
        try:
            return msgspec.json.decode(urlsafe_b64decode(content + "=" * (-len(content) % 4)), type=kind)
        except (Error, ValueError):
            return None

    def _signature(self, content: str, kind: type) -> str:
        return hmac.digest(self._key, f"{kind.__name__}\n{content}".encode(errors="replace"), "sha256").hex()
