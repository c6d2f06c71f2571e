"""Compose the mail for an event in the recipient's language. Pure, except that it reads the templates."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from notifier.mail import formatting, reasons
from notifier.mail.branding import Branding
from notifier.mail.mime import Mail
from notifier.queue.mail_queue import QueuedMail
from notifier.recipients import locale_of
from runtime.clock import EPOCH
from runtime.json_value import JsonValue
from stream.events.text import payment_methods

TEMPLATES = Path(__file__).parent / "templates"

UNITS = {
    "amount": ("currency", "asset"),
    "refunded_amount": ("currency",),
    "expected_amount": ("expected_currency", "crypto_asset"),
    "paid_amount": ("paid_currency",),
    "crypto_amount": ("crypto_asset",),
    "received_amount": ("crypto_asset",),
}
"""The fields that may hold an amount's unit: a currency for an integer amount, an asset for a decimal text."""
INSTANTS = ("paid_at", "cancelled_at", "evidence_due_by")
DAYS = ("started_at", "ends_at", "next_billing_at")


_BETWEEN_PARAGRAPHS = re.compile(r"\n{2,}")
LINK_LABELS = {"ko": "주문 보기", "en": "View the order"}


@dataclass(frozen=True, slots=True)
class MailContent:
    """The text of a mail, without headers; `title` is its subject.

    Each paragraph is a list of lines, and so is `footer`, which names the shop. `link` is absolute or None. `greeting`,
    `link` and `footer` are not part of in-app messages.
    """

    title: str
    greeting: str | None
    paragraphs: list[list[str]]
    link: str | None = None
    link_label: str = ""
    footer: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The first paragraph on one line: the text of an in-app message."""
        return " ".join(self.paragraphs[0])

    @property
    def text(self) -> str:
        """The plain-text part of the mail."""
        link = [[f"{self.link_label}: {self.link}"]] if self.link else []
        parts = [*self.greeted_paragraphs, *link, ["-- ", *self.footer]]  # RFC 3676 §4.3: what follows is a signature
        return "\n\n".join("\n".join(lines) for lines in parts) + "\n"

    @property
    def greeted_paragraphs(self) -> list[list[str]]:
        """The paragraphs, preceded by the greeting if there is one."""
        return [[self.greeting], *self.paragraphs] if self.greeting else self.paragraphs


def render(mail: QueuedMail, branding: Branding | None = None) -> MailContent:
    """Return the content of a mail in its recipient's language. Only customers are greeted.

    Without `branding`, the content has no link and its footer names no shop. Raises jinja2.TemplateError if there is no
    template for the event and audience, or if the template uses a field that the event lacks; KeyError if the event is
    empty, as in the row of a mail of which only the NotificationSent is known.
    """
    return _render(mail, msgspec.json.decode(mail.event), branding)


def _render(mail: QueuedMail, event: dict[str, JsonValue], branding: Branding | None) -> MailContent:
    language = locale(mail)
    values = _values(mail, event, language)
    title, _, text = _template(mail.event_type, mail.audience, language).render(values).strip().partition("\n")
    return MailContent(
        " ".join(title.split()),
        _environment().get_template(f"greeting.{language}.txt").render(values) if mail.audience == "customer" else None,
        [paragraph.strip().split("\n") for paragraph in _BETWEEN_PARAGRAPHS.split(text.strip())],
        branding.absolute(mail.link) if branding else None,
        LINK_LABELS[language],
        _footer(branding, language),
    )


def compose(mail: QueuedMail, branding: Branding) -> Mail:
    """Return the mail, as text and as HTML, with the time its webhook was received as its date.

    Raises what `render` raises.
    """
    event = msgspec.json.decode(mail.event)
    content, language = _render(mail, event, branding), locale(mail)
    return Mail(
        sender_name=branding.display_name,
        sender=branding.address,
        subject=content.title,
        message_id=message_id(mail, branding),
        language=language,
        date=format_datetime(EPOCH + timedelta(microseconds=event["received_at"])),
        text=content.text,
        html=_environment().get_template("layout.html").render(words=content, branding=branding, language=language),
    )


def message_id(mail: QueuedMail, branding: Branding) -> str:
    """Return the value of the Message-ID header, which is the same for every attempt to send the mail."""
    return f"<{mail.notification_id}@{branding.domain}>"


def locale(mail: QueuedMail) -> str:
    """Return the language the mail is written in: `ko` or `en`."""
    return locale_of(mail.locale)


def _values(mail: QueuedMail, raw: dict[str, JsonValue], language: str) -> dict[str, JsonValue]:
    """Return the template variables: the event's fields, with amounts, times, reason and method as text or None."""
    event: dict[str, JsonValue] = {name: _on_one_line(value) for name, value in raw.items()}
    return {
        **event,
        **{name: _amount(event, name, units, language) for name, units in UNITS.items()},
        **{name: formatting.time(event[name], language) if event.get(name) else None for name in INSTANTS},
        **{name: formatting.day(event[name], language) if event.get(name) else None for name in DAYS},
        "reason": reasons.reason(event.get("reason"), language),
        "method": payment_methods.method(event.get("method"), language),
        "mismatched": event.get("reason") == "amount_mismatch",
        "again": event.get("reason") == "refund_failed",
        "name": formatting.one_line(mail.name),
        "when": formatting.time(event.get("occurred_at") or event["received_at"], language),
    }


def _on_one_line(value: JsonValue) -> JsonValue:
    """Return a text from webhooks on one line, so that it cannot imitate lines of the mail; other values unchanged."""
    return formatting.one_line(value) if isinstance(value, str) else value


def _amount(event: dict[str, JsonValue], name: str, units: tuple[str, ...], language: str) -> str | None:
    amount = event.get(name)
    unit = next((event[unit] for unit in units if event.get(unit)), None)
    if isinstance(amount, str):
        return formatting.crypto(amount, unit, language)
    return formatting.money(amount, unit, language)


@cache
def _footer(branding: Branding | None, language: str) -> list[str]:
    written = _environment().get_template(f"footer.{language}.txt").render(branding=branding)
    return written.strip().split("\n")


@cache
def _environment() -> Environment:
    """Return the environment of the templates. `auto_reload` would check the template file's time for each mail."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        auto_reload=False,
    )


@cache
def _template(event_type: str, audience: str, language: str) -> Template:
    return _environment().get_template(f"{event_type}.{audience}.{language}.txt")
