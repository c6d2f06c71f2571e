"""Identifies the person who makes a request, by cookies, and sets the cookies of session, preferences and messages."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.login import users
from console.login.sessions import ABSOLUTE_S, Session, Sessions
from console.login.users import Role, RoleMap, User, Users
from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.page import Viewer
from console.web.rendering import formatting
from console.web.rendering.texts import LANGUAGES, Language, preferred

SESSION, LANGUAGE, ZONE, FLASH = (f"hookstream_{name}" for name in ("session", "language", "zone", "flash"))
YEAR_S = 365 * 24 * 3600
NOBODY: frozenset[Role] = frozenset()
"""The roles of a person who has not logged in."""


@dataclass(frozen=True, slots=True)
class Flash:
    """A message that the next page shows once: its key in the catalogue and its values. `bad` if nothing was done."""

    key: str
    values: Mapping[str, str]
    bad: bool = False


@dataclass(frozen=True, slots=True)
class ViewerSession:
    """The session and viewer of a request. `is_new` is True if the session's cookie must be sent.

    `flash` is the message to show on the page; None if there is none.
    """

    session: Session
    viewer: Viewer
    is_new: bool
    flash: Flash | None


class Gate:
    """Recognises people by their cookies. With `https` all cookies are marked for TLS alone, behind a proxy too."""

    def __init__(self, sessions: Sessions, known: Users, role_map: RoleMap, *, https: bool) -> None:
        self.sessions = sessions
        self.users = known
        self._role_map = role_map
        self._https = https

    def enter(self, request: AnyRequest, now: int) -> ViewerSession:
        """Return the session and viewer of a request; a new session without a user unless its cookie is valid.

        `now` is in seconds since 1970 UTC. The store is not read, so a session that was ended is returned too: see
        `Responder.has_ended`.
        """
        session = self.sessions.read(request.cookies.get(SESSION, ""), now)
        roles = self._roles(session) if session else NOBODY
        known = session is not None and (not session.user or bool(roles))
        return self._entry(request, session if known else None, roles, now)

    def may_have_sessions(self, name: str) -> bool:
        """Return whether somebody of this name can be logged in: a user of the settings, or of an identity provider.

        The console does not know the names at the identity provider, so with one (a role map) every name is possible.
        """
        return name in self.users or bool(name and self._role_map)

    def anonymous(self, request: AnyRequest, now: int) -> ViewerSession:
        """Return a new session and a viewer who has not logged in, with the preferences of the request's cookies.

        `now` is in seconds since 1970 UTC.
        """
        return self._entry(request, None, NOBODY, now)

    def _entry(self, request: AnyRequest, session: Session | None, roles: frozenset[Role], now: int) -> ViewerSession:
        cookies, current = request.cookies, session or self.sessions.open(now)
        refreshed = self.sessions.touched(current, now)
        viewer = Viewer(
            current.user if roles else "",
            roles,
            language(cookies.get(LANGUAGE, ""), request.headers.get("accept-language", "")),
            formatting.zone(cookies.get(ZONE, "UTC")),
            self.sessions.csrf_token(current),
        )
        flash = self.sessions.unsigned(cookies[FLASH], Flash) if cookies.get(FLASH) else None
        return ViewerSession(refreshed or current, viewer, refreshed is not None or session is None, flash)

    def set_session(self, request: AnyRequest, response: AnyResponse, session: Session) -> None:
        """Add the session's cookie to the response."""
        self._set(request, response, SESSION, self.sessions.cookie(session), ABSOLUTE_S)

    def set_flash(self, request: AnyRequest, response: AnyResponse, flash: Flash) -> None:
        """Add the cookie by which the next page shows a message."""
        self._set(request, response, FLASH, self.sessions.signed(flash), 60)

    def set_preferences(self, request: AnyRequest, response: AnyResponse, values: Mapping[str, str]) -> None:
        """Add cookies for the `language` and `zone` in `values`; an unknown or missing one is ignored."""
        if values.get("language") in LANGUAGES:
            self._set(request, response, LANGUAGE, values["language"], YEAR_S)
        if values.get("zone") and formatting.zone(values["zone"]).key == values["zone"]:
            self._set(request, response, ZONE, values["zone"], YEAR_S)

    def set_private(self, request: AnyRequest, response: AnyResponse, name: str, value: str, max_age_s: int) -> None:
        """Add a cookie that scripts cannot read to the response."""
        self._set(request, response, name, value, max_age_s)

    def clear(self, response: AnyResponse, name: str) -> None:
        """Make the browser delete a cookie."""
        response.delete_cookie(name, path="/")

    def _set(self, request: AnyRequest, response: AnyResponse, name: str, value: str, max_age_s: int) -> None:
        # Lax, so that a link in an alert's mail opens the page. Forms are protected by their tokens.
        response.set_cookie(
            name,
            value,
            max_age=max_age_s,
            path="/",
            secure=self._https or request.url.scheme == "https",
            httponly=name != ZONE,
            samesite="lax",
        )

    def _roles(self, session: Session) -> frozenset[Role]:
        """Return the roles of a session's user as configured now; NOBODY if the user or the password has changed.

        For a user of an identity provider they are the roles of the groups at the login.
        """
        if session.groups:
            return users.roles_of(self._role_map, session.groups)
        user: User | None = self.users.get(session.user)
        return user.roles if user is not None and user.mark == session.mark else NOBODY


def language(chosen: str, accept_language: str) -> Language:
    """Return the chosen language if it is one of LANGUAGES, else the one that the browser prefers."""
    return next((known for known in LANGUAGES if known == chosen), None) or preferred(accept_language)


def local_path(location: str | None) -> str:
    """Return `location` if it is a path of the console; `/` for None and anything that could lead to another site."""
    if location and location.startswith("/") and not location.startswith(("//", "/\\")) and "\n" not in location:
        return location
    return "/"
