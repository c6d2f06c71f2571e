"""Renders templates for a viewer, and makes HTML responses with the security headers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

from console.labels import provider_word
from console.web.litestar_types import AnyResponse
from console.web.page import Viewer
from console.web.rendering import formatting
from console.web.rendering.assets import Assets
from console.web.rendering.navigation import SECTIONS
from console.web.rendering.texts import LANGUAGES, Texts
from runtime.json_value import JsonValue

WEB = Path(__file__).parent.parent
TEMPLATES = (WEB / "templates", WEB.parent / "pages" / "templates")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
FRAMED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; sandbox"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Vary": "Cookie, HX-Request",
}
HTML = "text/html"


class Renderer:
    """Renders the templates of all pages. Values are escaped, and a variable that is not defined is an error."""

    def __init__(self, texts: Texts, assets: Assets, folders: Sequence[Path] = TEMPLATES) -> None:
        self.texts = texts
        self.sections: frozenset[str] = frozenset()
        """The sections that have a page: the navigation shows only these."""
        self.environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.globals |= {
            "asset": assets.url,
            "languages": LANGUAGES,
            "zones": formatting.ZONES,
        }
        self.environment.filters |= {
            "duration": formatting.duration,
            "number": formatting.number,
        }
        self.environment.globals["money"] = formatting.money
        self.environment.globals["first_line"] = formatting.first_line

    def render(self, name: str, viewer: Viewer, context: Mapping[str, JsonValue]) -> str:
        """Return the template `name` as HTML, in the viewer's language and time zone.

        `context` are the template's variables; they go before those that every template has.
        """
        return self.environment.get_template(name).render({**self._of_viewer(viewer), **context})

    def _of_viewer(self, viewer: Viewer) -> dict[str, JsonValue]:
        text: Callable[..., str] = partial(self.texts.text, viewer.language)
        return {
            "viewer": viewer,
            "t": text,
            "label": partial(self.texts.label, viewer.language),
            "provider_label": lambda name: self.texts.label(viewer.language, "providers", provider_word(name)),
            "clock": lambda at: formatting.clock(at, viewer.zone),
            "when": lambda at: formatting.time_tag(at, viewer.zone),
            "sections": [section for section in SECTIONS if section.name in self.sections],
            "section": "",
            "path": "/",
            "flash": None,
        }


def html(
    content: str, status: int = 200, *, frames: bool = False, headers: Mapping[str, str] | None = None
) -> AnyResponse:
    """Return an HTML response with the security headers. `frames` permits frames that show pages of the console."""
    own = {"Content-Security-Policy": f"{POLICY}; frame-src 'self'"} if frames else {}
    return Response(content, status_code=status, media_type=HTML, headers={**HEADERS, **own, **(headers or {})})


def framed(content: str) -> AnyResponse:
    """Return a response with HTML that is not ours, such as a mail, for a sandboxed frame: no scripts, no forms."""
    headers = {**HEADERS, "Content-Security-Policy": FRAMED}
    return Response(content, status_code=200, media_type=HTML, headers=headers)
