"""What we write to people: a fact, its reader and a language in, a mail out. Pure but for reading the templates."""

from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from notifier import phrasing
from notifier.audience import locale_of
from notifier.mailbox import Letter
from runtime.clock import moment

TEMPLATES = Path(__file__).parent / "templates"


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The mail for a letter: a text part and an HTML part that say the same, under an id that never changes."""
    language = locale(letter)
    said = _words(letter.fact_type, letter.audience, language).render(_facts(letter, language))
    subject, _, text = said.strip().partition("\n")
    mail = EmailMessage()
    mail["Subject"] = subject.strip()
    mail["From"] = sender
    mail["To"] = letter.recipient
    mail["Message-ID"] = message_id(letter, sender)
    mail["Content-Language"] = language
    occurred = moment(msgspec.json.decode(letter.fact)["received_at"])
    if occurred:
        mail["Date"] = format_datetime(occurred)
    mail.set_content(text.strip() + "\n")
    paragraphs = [paragraph.split("\n") for paragraph in text.strip().split("\n\n")]
    html = _layout().render(subject=subject, paragraphs=paragraphs, link=letter.link, language=language)
    mail.add_alternative(html, subtype="html")
    return mail


def message_id(letter: Letter, sender: str) -> str:
    """The same id for the same message, however often it is tried."""
    return f"<{letter.notification_id}@{sender.rpartition('@')[2]}>"


def locale(letter: Letter) -> str:
    """The language the reader is written to in."""
    return locale_of(letter.locale if letter.audience != "operator" else "en")


def _facts(letter: Letter, language: str) -> dict[str, Any]:
    fact = msgspec.json.decode(letter.fact)
    money: Callable[[str, str], str | None] = lambda amount, currency: phrasing.money(  # noqa: E731
        fact.get(amount), fact.get(currency), language
    )
    return {
        **fact,
        "name": letter.name,
        "link": letter.link,
        "amount": money("amount", "currency"),
        "expected_amount": money("expected_amount", "expected_currency"),
        "when": phrasing.time(fact.get("occurred_at") or fact["received_at"], language),
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _words(fact_type: str, audience: str, language: str) -> Template:
    return _environment().get_template(f"{fact_type}.{audience}.{language}.txt")


@cache
def _layout() -> Template:
    return _environment().get_template("layout.html")
