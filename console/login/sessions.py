"""Sessions in a signed cookie. Only ended sessions are stored, so every replica accepts a cookie, also after a restart.

A session ends IDLE_S after the last request, ABSOLUTE_S after the login, when the user, the password or a group's roles
are no longer configured (`Gate`), and when CONSOLE_TOKEN changes, from which the key is derived. A logout and an
operator end a session at every replica (`ended_sessions`).
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
"""How long the form to log in is valid, in seconds."""
REFRESH_S = 60
"""The age in seconds from which a cookie is sent anew, with the time of the request."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session. `user` is empty before the login. `began` and `seen` are in seconds since 1970 UTC.

    `mark` is `User.mark` of a user with a password. `groups` are set only for a user of an identity provider: the
    values of the claim that gave the user roles. `seen` is the time of the request with which the cookie was last sent.
    """

    id: str
    user: str
    mark: str
    groups: tuple[str, ...]
    began: int
    seen: int


class Sessions:
    """Opens and reads sessions, makes their CSRF tokens, and signs other values for cookies. It stores nothing.

    `now` is in seconds since 1970 UTC.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"console sessions", "sha256")

    def open(self, now: int, user: str = "", mark: str = "", groups: tuple[str, ...] = ()) -> Session:
        """Return a new session with a random id, which begins at `now`; without `user`, of a person not logged in."""
        return Session(secrets.token_urlsafe(16), user, mark, groups, now, now)

    def read(self, cookie: str, now: int) -> Session | None:
        """Return the session of a cookie; None if the cookie was not signed by us or the session has expired.

        A session that was ended before it expired is returned too (`ended_sessions` has those).
        """
        session = self.unsigned(cookie, Session)
        if session is None:
            return None
        idle_s = IDLE_S if session.user else ANONYMOUS_S
        return session if now - session.seen < idle_s and now - session.began < ABSOLUTE_S else None

    def cookie(self, session: Session) -> str:
        """Return the value of the session's cookie."""
        return self.signed(session)

    def touched(self, session: Session, now: int) -> Session | None:
        """Return the session with `now` as `seen` if its cookie must be sent anew (after REFRESH_S), else None."""
        return replace(session, seen=now) if now - session.seen >= REFRESH_S else None

    def csrf_token(self, session: Session) -> str:
        """Return the CSRF token that every form of this session contains."""
        return hmac.digest(self._key, f"csrf\n{session.id}".encode(), "sha256").hex()

    def permits(self, session: Session, token: str) -> bool:
        """Return whether `token` is the CSRF token of the session, in constant time."""
        return hmac.compare_digest(self.csrf_token(session).encode(), token.encode(errors="replace"))

    def signed(self, value: object) -> str:
        """Return a value that msgspec can encode as text for a cookie. The signature covers the value and its type."""
        content = urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
        return f"{content}.{self._signature(content, type(value))}"

    def unsigned(self, text: str, kind: type[T]) -> T | None:
        """Return the value of type `kind` in a text that `signed` returned; None for any other text."""
        content, _, signature = text.rpartition(".")
        if not hmac.compare_digest(self._signature(content, kind).encode(), signature.encode(errors="replace")):
            return None
        try:
            return msgspec.json.decode(urlsafe_b64decode(content + "=" * (-len(content) % 4)), type=kind)
        except (Error, ValueError):
            return None

    def _signature(self, content: str, kind: type) -> str:
        return hmac.digest(self._key, f"{kind.__name__}\n{content}".encode(errors="replace"), "sha256").hex()
