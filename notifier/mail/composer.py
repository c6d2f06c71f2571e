"""What we write to people: a fact, its reader and a language in, a mail out. Pure but for reading the templates."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from notifier.mail import formatting
from notifier.mail.branding import Branding
from notifier.mail.mime import Mail
from notifier.mail_queue import Letter
from notifier.recipients import locale_of
from runtime.clock import EPOCH

TEMPLATES = Path(__file__).parent / "templates"

UNITS = {
    "amount": ("currency", "asset"),
    "refunded_amount": ("currency",),
    "expected_amount": ("expected_currency", "crypto_asset"),
    "paid_amount": ("paid_currency",),
    "crypto_amount": ("crypto_asset",),
    "received_amount": ("crypto_asset",),
}
"""The field that names an amount's unit, in the facts that have it: a currency's of integers, an asset's of texts."""
INSTANTS = ("paid_at", "cancelled_at", "evidence_due_by")
DAYS = ("started_at", "ends_at", "next_billing_at")


_BETWEEN_PARAGRAPHS = re.compile(r"\n{2,}")
LINK_LABELS = {"ko": "주문 보기", "en": "View the order"}


@dataclass(frozen=True, slots=True)
class Words:
    """The content of a mail: a title, and paragraphs of lines; the other fields are for letters only.

    `link` is absolute; `footer` names the shop.
    """

    title: str
    greeting: str | None
    paragraphs: list[list[str]]
    link: str | None = None
    link_label: str = ""
    footer: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The first paragraph, for where there is no room for more."""
        return " ".join(self.paragraphs[0])

    @property
    def text(self) -> str:
        """All of it, as a letter."""
        link = [[f"{self.link_label}: {self.link}"]] if self.link else []
        parts = [*self.letter, *link, ["-- ", *self.footer]]  # RFC 3676 §4.3: what follows is a signature
        return "\n\n".join("\n".join(lines) for lines in parts) + "\n"

    @property
    def letter(self) -> list[list[str]]:
        """The paragraphs with the greeting before them."""
        return [[self.greeting], *self.paragraphs] if self.greeting else self.paragraphs


def words(letter: Letter, branding: Branding | None = None) -> Words:
    """The words of a letter in its reader's language. A customer is greeted."""
    return _words(letter, msgspec.json.decode(letter.fact), branding)


def _words(letter: Letter, told: dict[str, Any], branding: Branding | None) -> Words:
    language = locale(letter)
    facts = _facts(letter, told, language)
    title, _, text = _template(letter.fact_type, letter.audience, language).render(facts).strip().partition("\n")
    return Words(
        " ".join(title.split()),
        _environment().get_template(f"greeting.{language}.txt").render(facts)
        if letter.audience == "customer"
        else None,
        [paragraph.strip().split("\n") for paragraph in _BETWEEN_PARAGRAPHS.split(text.strip())],
        branding.absolute(letter.link) if branding else None,
        LINK_LABELS[language],
        _footer(branding, language),
    )


def compose(letter: Letter, branding: Branding) -> Mail:
    """The mail for a letter: a text part and an HTML part that say the same, under an id that never changes."""
    told = msgspec.json.decode(letter.fact)
    said, language = _words(letter, told, branding), locale(letter)
    return Mail(
        sender_name=branding.display_name,
        sender=branding.address,
        subject=said.title,
        message_id=message_id(letter, branding),
        language=language,
        date=format_datetime(EPOCH + timedelta(microseconds=told["received_at"])),
        text=said.text,
        html=_environment().get_template("layout.html").render(words=said, branding=branding, language=language),
    )


def message_id(letter: Letter, branding: Branding) -> str:
    """The same id for the same message, however often it is tried."""
    return f"<{letter.notification_id}@{branding.domain}>"


def locale(letter: Letter) -> str:
    """The language the reader is written to in."""
    return locale_of(letter.locale)


def _facts(letter: Letter, told: dict[str, Any], language: str) -> dict[str, Any]:
    fact: dict[str, Any] = {name: _on_one_line(value) for name, value in told.items()}
    return {
        **fact,
        **{name: _figure(fact, name, units, language) for name, units in UNITS.items()},
        **{name: formatting.time(fact[name], language) if fact.get(name) else None for name in INSTANTS},
        **{name: formatting.day(fact[name], language) if fact.get(name) else None for name in DAYS},
        "reason": formatting.reason(fact.get("reason"), language),
        "method": formatting.method(fact.get("method"), language),
        "mismatched": fact.get("reason") == "amount_mismatch",
        "again": fact.get("reason") == "refund_failed",
        "name": formatting.one_line(letter.name),
        "when": formatting.time(fact.get("occurred_at") or fact["received_at"], language),
    }


def _on_one_line(value: Any) -> Any:
    """Put text from outside on one line, so that it cannot look like a line of the mail."""
    return formatting.one_line(value) if isinstance(value, str) else value


def _figure(fact: dict[str, Any], name: str, units: tuple[str, ...], language: str) -> str | None:
    amount = fact.get(name)
    unit = next((fact[unit] for unit in units if fact.get(unit)), None)
    if isinstance(amount, str):
        return formatting.crypto(amount, unit, language)
    return formatting.money(amount, unit, language)


@cache
def _footer(branding: Branding | None, language: str) -> list[str]:
    written = _environment().get_template(f"footer.{language}.txt").render(branding=branding)
    return written.strip().split("\n")


@cache
def _environment() -> Environment:
    """Templates are compiled once: `auto_reload` would look at the file's time for each mail."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        auto_reload=False,
    )


@cache
def _template(fact_type: str, audience: str, language: str) -> Template:
    return _environment().get_template(f"{fact_type}.{audience}.{language}.txt")
