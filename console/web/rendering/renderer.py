"""Renders templates for a viewer, and makes HTML responses with the security headers."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup, escape

from console.labels import provider_word
from console.web.litestar_types import AnyResponse
from console.web.page import Viewer
from console.web.rendering import action_details, formatting
from console.web.rendering.assets import Assets
from console.web.rendering.navigation import SECTIONS
from console.web.rendering.paths import order_path
from console.web.rendering.texts import LANGUAGES, Language, Reported, Texts
from runtime.json_value import JsonValue
from stream.events.text import payment_methods

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
RAW = Markup('<span translate="no">{}</span>')
"""The tag of raw data: an exception, an answer of a mail server, what a person or a sender wrote."""
QUOTED, CODE = re.compile("`([^`]+)`"), r"<code>\1</code>"
"""A name or command within a sentence, and its tag."""
REASON = "reason"
"""The value of a message that a service has reported."""


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
            "order_path": order_path,
        }
        self.environment.filters |= {
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
            "duration": partial(self.texts.duration, viewer.language),
            "word": partial(self._word, viewer.language),
            "payment_method": partial(_payment_method, viewer.language),
            "reported": Reported,
            "sentence": partial(self._sentence, viewer.language),
            "flash_text": partial(self._flash_text, viewer.language),
            "action_detail": lambda detail: self._sentence(
                viewer.language, action_details.text(self.texts, viewer.language, detail)
            ),
            "provider_label": lambda name: self.texts.label(viewer.language, "providers", provider_word(name)),
            "clock": lambda at: formatting.clock(at, viewer.zone),
            "when": lambda at: formatting.time_tag(at, viewer.zone),
            "sections": [section for section in SECTIONS if section.name in self.sections],
            "section": "",
            "path": "/",
            "flash": None,
        }

    def _sentence(self, language: Language, sentence: str | None) -> Markup:
        """Return a reported sentence in the reader's language, or raw data with a mark that it is no text of ours."""
        if not sentence:
            return Markup()
        translated = self.texts.reported(language, sentence)
        shown = _coded(translated or sentence)
        return RAW.format(shown) if translated is None else shown

    def _word(self, language: Language, kind: str, name: str | None) -> Markup:
        """Return the text `kind.name` of a value that a record has; one that is not in the catalogue as raw data."""
        if name is None:
            return escape(formatting.NONE)
        key = f"{kind}.{name}"
        return escape(self.texts.text(language, key)) if key in self.texts.by_key else RAW.format(name)

    def _flash_text(self, language: Language, key: str, values: Mapping[str, str]) -> Markup:
        reported = {name: Reported(value) if name == REASON else value for name, value in values.items()}
        return _coded(self.texts.text(language, key, **reported))


def _payment_method(language: Language, name: str) -> Markup:
    """Return a payment method in the words of the mails, or as raw data if it is not in their catalogue."""
    shown = payment_methods.method(name, language)
    return RAW.format(name) if shown in (name, None) else escape(shown)


def _coded(text: str) -> Markup:
    """Return a text as HTML, with what it has in backquotes as code."""
    return Markup(QUOTED.sub(CODE, str(escape(text))))  # noqa: S704 - it was escaped


def html(
    content: str, status: int = 200, *, frames: bool = False, headers: Mapping[str, str] | None = None
) -> AnyResponse:
    """Return a response with `content`, finished HTML, and the security headers.

    `headers` replace those of the same name. `frames` permits frames that show pages of the console.
    """
    own = {"Content-Security-Policy": f"{POLICY}; frame-src 'self'"} if frames else {}
    return Response(content, status_code=status, media_type=HTML, headers={**HEADERS, **own, **(headers or {})})


def framed(content: str) -> AnyResponse:
    """Return a response with HTML that is not ours, such as a mail, for a sandboxed frame: no scripts, no forms."""
    headers = {**HEADERS, "Content-Security-Policy": FRAMED}
    return Response(content, status_code=200, media_type=HTML, headers=headers)
