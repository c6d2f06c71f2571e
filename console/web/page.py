"""The definitions of pages, actions and live parts: data that `registry` lists and `routes` serves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from console.login.users import Role
from console.web.rendering.texts import Language
from console.web.services import Services
from runtime.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person who views a page: name (empty before the login), roles, preferences, and the session's CSRF token."""

    name: str
    roles: frozenset[Role]
    language: Language
    zone: ZoneInfo
    csrf_token: str

    def may(self, role: Role) -> bool:
        """Return whether the viewer has a role. Every role includes `viewer`; without a login there is no role."""
        return role in self.roles or (role == "viewer" and bool(self.roles))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page or an action, as views and actions get it.

    `path` has the query string too, `ids` are the parameters of the path, unescaped. `query` and `form` have the first
    value of each name; `form_lists` has all values, for check boxes. `now` is in microseconds since 1970 UTC.
    """

    viewer: Viewer
    path: str
    query: Mapping[str, str]
    ids: tuple[str, ...]
    now: int
    services: Services
    form: Mapping[str, str] = field(default_factory=dict)
    form_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    may_have_sessions: Callable[[str], bool] = bool


class Message(NamedTuple):
    """A text of the catalogue that a view chooses: its key, and its values as `Texts.text` takes them."""

    key: str
    values: Mapping[str, object]


class Redirect(Exception):
    """Raised by a view: the browser must go to the path `location` instead."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


View = Callable[[Connection, PageRequest], Mapping[str, JsonValue] | None]
"""Returns the template's variables; None for 404. Raises BadParameter (400) or Redirect. Only reads the log."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its path, template, view, and section of the navigation, for viewers with `role`.

    If there is a `fragment`, a request of htmx is answered with that template alone, which `template` includes.
    """

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
    """A part of a page, with its own path and template, that is sent as a server-sent event whenever it changes."""

    path: str
    template: str
    view: View
    role: Role = "viewer"


@dataclass(frozen=True, slots=True)
class Done:
    """The result of an action that was carried out: the path to go to, and the key and values of the message there."""

    location: str
    message: str = "action.done"
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """The result of an action that is shown as a page of its own, such as an unmasked payload."""

    template: str
    context: Mapping[str, JsonValue]
    section: str


@dataclass(frozen=True, slots=True)
class Download:
    """The result of an action that the browser saves as the file `name`; `note` goes into the action's record."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"
    note: str | None = None


class ActionRefused(Exception):
    """Raised by an action that is not carried out: the key of the message for the person, and its values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.values = values


ActionResult = Done | Shown | Download


def first_id(request: PageRequest) -> str:
    """Return the first id of the path, the target of most actions; empty for a path without ids."""
    return request.ids[0] if request.ids else ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person with `role` does: a POST with a CSRF token, recorded before and after.

    `perform` carries the action out; its connection is never committed. It raises ActionRefused, or ServiceRefused and
    ServiceUnreachable of the services that it calls. The records have `name`, `target(request)`, and as parameters the
    form's fields without those in `unrecorded`.
    """

    path: str
    name: str
    role: Role
    perform: Callable[[Connection, PageRequest], ActionResult]
    target: Callable[[PageRequest], str] = first_id
    unrecorded: frozenset[str] = frozenset()
