"""The definitions of pages, actions and live parts: data that `registry` lists and `routes` serves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from console.login.users import Role
from console.web.rendering.texts import Language
from console.web.services import Services
from runtime.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Viewer:
    """The viewer: the name (empty before the login), the roles, the preferences, and the CSRF token of the session."""

    name: str
    roles: frozenset[Role]
    language: Language
    zone: ZoneInfo
    csrf_token: str

    def may(self, role: Role) -> bool:
        """Return whether the viewer has a role; every role includes that of a viewer."""
        return role in self.roles or (role == "viewer" and bool(self.roles))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page or an action: `ids` are from the path, `query` and `form` have the first value of each name.

    `form_lists` has all values of a form's names, for check boxes. `now` is in microseconds since 1970 UTC.
    """

    viewer: Viewer
    path: str
    query: Mapping[str, str]
    ids: tuple[str, ...]
    now: int
    services: Services
    form: Mapping[str, str] = field(default_factory=dict)
    form_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Redirect(Exception):
    """The page is at another path."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


View = Callable[[Connection, PageRequest], Mapping[str, JsonValue] | None]
"""Returns the template's variables; None for 404. Raises BadParameter for a wrong parameter."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page. A request of htmx is answered with the template `fragment` alone, which the page's own includes."""

    path: str
    template: str
    view: View
    section: str
    role: Role = "viewer"
    fragment: str | None = None
    frames: bool = False
    """True for a page that shows pages of the console in frames, such as a mail's preview."""
    is_framed: bool = False
    """True for a page that is shown in such a frame: it has no scripts, and styles of its own."""


@dataclass(frozen=True, slots=True)
class Live:
    """A part of a page, with a template of its own, that is sent by server-sent events whenever it has changed."""

    path: str
    template: str
    view: View
    role: Role = "viewer"


@dataclass(frozen=True, slots=True)
class Done:
    """An action was carried out: the key of the message, its values, and the path to go to."""

    location: str
    message: str = "action.done"
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """An action answers with a page of its own, such as an unmasked payload. It is not cached."""

    template: str
    context: Mapping[str, JsonValue]
    section: str


@dataclass(frozen=True, slots=True)
class Download:
    """An action answers with a file."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


class Refused(Exception):
    """An action is not carried out; the key of the message for the person, and its values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.values = values


ActionResult = Done | Shown | Download


def first_id(request: PageRequest) -> str:
    """Return the first id of the path: the target of most actions."""
    return request.ids[0] if request.ids else ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person does: a POST with a CSRF token by somebody with `role`, recorded before and after.

    `perform` raises Refused, or ServiceRefused and ServiceUnreachable of the services it calls. The form's fields are
    recorded as parameters but for those in `unrecorded`.
    """

    path: str
    name: str
    role: Role
    perform: Callable[[Connection, PageRequest], ActionResult]
    target: Callable[[PageRequest], str] = first_id
    unrecorded: frozenset[str] = frozenset()
