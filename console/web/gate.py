"""Identifies the person who makes a request: reads the cookies of session and preferences, and writes them again."""

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


@dataclass(frozen=True, slots=True)
class Flash:
    """A message shown once, on the next page: its key in the catalogue and its values. `bad`: nothing was done."""

    key: str
    values: Mapping[str, str]
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A request's session and viewer. `is_new`: the session's cookie must be sent."""

    session: Session
    viewer: Viewer
    is_new: bool
    flash: Flash | None


class Gate:
    """Recognises people by their cookies. `https`: cookies are sent over TLS alone, whatever a proxy in front uses."""

    def __init__(self, sessions: Sessions, known: Users, role_map: RoleMap, *, https: bool) -> None:
        self.sessions = sessions
        self.users = known
        self._role_map = role_map
        self._https = https

    def enter(self, request: AnyRequest, now: int) -> Entry:
        """Return who makes the request; a session without a user if nobody has logged in. `now` is in seconds.

        It does not read the store, which knows the sessions that have been ended (`Responder.has_ended`).
        """
        session = self.sessions.read(request.cookies.get(SESSION, ""), now)
        roles = self._roles(session) if session else NOBODY
        known = session is not None and (not session.user or bool(roles))
        return self._entry(request, session if known else None, roles, now)

    def anonymous(self, request: AnyRequest, now: int) -> Entry:
        """Return a new session without a user."""
        return self._entry(request, None, NOBODY, now)

    def _entry(self, request: AnyRequest, session: Session | None, roles: frozenset[Role], now: int) -> Entry:
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
        return Entry(refreshed or current, viewer, refreshed is not None or session is None, flash)

    def set_session(self, request: AnyRequest, response: AnyResponse, session: Session) -> None:
        """Send the session's cookie."""
        self._set(request, response, SESSION, self.sessions.cookie(session), ABSOLUTE_S)

    def set_flash(self, request: AnyRequest, response: AnyResponse, flash: Flash) -> None:
        """Show a message on the next page."""
        self._set(request, response, FLASH, self.sessions.signed(flash), 60)

    def set_preferences(self, request: AnyRequest, response: AnyResponse, values: Mapping[str, str]) -> None:
        """Remember language and time zone, as far as they are given and known."""
        if values.get("language") in LANGUAGES:
            self._set(request, response, LANGUAGE, values["language"], YEAR_S)
        if values.get("zone") and formatting.zone(values["zone"]).key == values["zone"]:
            self._set(request, response, ZONE, values["zone"], YEAR_S)

    def set_private(self, request: AnyRequest, response: AnyResponse, name: str, value: str, max_age_s: int) -> None:
        """Send a cookie that scripts cannot read."""
        self._set(request, response, name, value, max_age_s)

    def clear(self, response: AnyResponse, name: str) -> None:
        """Delete a cookie."""
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
        """Return the roles as they are configured now; for an identity provider's user those of the groups at login."""
        if session.groups:
            return users.roles_of(self._role_map, session.groups)
        user: User | None = self.users.get(session.user)
        return user.roles if user is not None and user.mark == session.mark else NOBODY


def language(chosen: str, accept_language: str) -> Language:
    """Return the chosen language, else the first of the browser's that we have."""
    return next((known for known in LANGUAGES if known == chosen), None) or preferred(accept_language)


def local_path(location: str | None) -> str:
    """Return a path of the console to go to; `/` for anything that could lead elsewhere."""
    if location and location.startswith("/") and not location.startswith(("//", "/\\")) and "\n" not in location:
        return location
    return "/"
