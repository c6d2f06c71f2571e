"""The page of the evidence that a person reads and prints: one HTML file without scripts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import NamedTuple

from evidence.entries import EvidenceEntry
from providers.contract import InvalidField
from providers.parsing.money import exponent
from runtime.json_value import JsonValue

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;
border-bottom:1px solid #bbb;overflow-wrap:anywhere}
th,td:nth-child(-n+2){white-space:nowrap}th{font-weight:600}
code{font-size:.85em;overflow-wrap:anywhere}
.failed{font-weight:700}
div.wide{overflow-x:auto}
@media print{body{margin:0;max-width:none;font-size:10pt}tr,h2{break-inside:avoid}h2{break-after:avoid}}
"""

AMOUNTS = ("paid_amount", "refunded_amount")
"""The columns of an order's state that are amounts, in minor units of the order's currency."""


class Summary(NamedTuple):
    """The state of the order as pairs of name and value, and sentences about what is missing from the zip."""

    state: Sequence[tuple[str, str]]
    notes: Sequence[str]


def render(order: str, entries: Sequence[EvidenceEntry], about: Mapping[str, JsonValue], summary: Summary) -> str:
    """Return the page as HTML. `about` needs madeAt, version, mode and redaction."""
    title = f"Evidence about order {order}"
    proofs = [(number, entry) for number, entry in enumerate(entries, 1) if "verification" in entry.content]
    scans = [(number, entry) for number, entry in enumerate(entries, 1) if entry.content.get("scan")]
    mails = [(number, entry) for number, entry in enumerate(entries, 1) if entry.kind == "mail"]
    sections = [
        _table("What is known now · 현재 상태", ("field", "value"), summary.state),
        _table(
            "What happened · 일어난 일", ("no.", "time (UTC)", "kind", "what", "position in Kafka"), _timeline(entries)
        ),
        _table(
            "How each webhook is proved · 웹훅의 증명",
            ("no.", "received as", "verified again", "SHA-256 of its body"),
            _proofs(proofs),
        ),
        _table(
            "Scans of parcels · 배송 기록", ("no.", "time (UTC)", "carrier", "number", "status", "place"), _scans(scans)
        ),
        _table("Mails · 메일", ("no.", "mail id", "status", "Message-ID"), _mails(mails)),
        listed("Not included · 빠진 것", summary.notes),
        f"<h2>Is this page genuine? · 진위 확인</h2><p>{escape(CHECKED)}</p>",
    ]
    return document(title, about, sections)


def document(title: str, about: Mapping[str, JsonValue], sections: Iterable[str]) -> str:
    """Return a page with a title, how it was made, and sections of HTML. `about` as for `render`."""
    made = f"Made {about['madeAt']} by hookstream {about['version']} in {about['mode']} mode. {about['redaction']}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(made)}</p>{''.join(sections)}</body></html>\n"
    )


CHECKED = (
    "Each number is a file in entries/. README.txt beside this page says how to check with standard tools that no file "
    "was changed since it was made. A webhook that was “verified” is signed with a secret that only its sender and the "
    "shop know; its body and signature are stored byte for byte in Kafka at the position given."
)


def _timeline(entries: Sequence[EvidenceEntry]) -> Iterable[tuple[str, ...]]:
    for number, entry in enumerate(entries, 1):
        yield str(number), entry.at, entry.kind, entry.what, _position(entry.content.get("record"))


def _proofs(entries: Iterable[tuple[int, EvidenceEntry]]) -> Iterable[tuple[str, ...]]:
    for number, entry in entries:
        proof = entry.content["verification"]
        now = f"{proof['now']}: {proof['detail']}"
        yield str(number), proof["then"], now, entry.content["request"]["body"]["sha256"]


def _scans(entries: Iterable[tuple[int, EvidenceEntry]]) -> Iterable[tuple[str, ...]]:
    for number, entry in entries:
        scan = entry.content["scan"]
        yield (
            str(number),
            scan["at"],
            *(scan[name] or "" for name in ("carrier", "trackingNumber", "status", "location")),
        )


def _mails(entries: Iterable[tuple[int, EvidenceEntry]]) -> Iterable[tuple[str, ...]]:
    for number, entry in entries:
        mail, state = entry.content["mail"] or {}, entry.content["state"] or {}
        mail_id = mail.get("notificationId") or state.get("id", "")
        yield (
            str(number),
            mail_id,
            state.get("status") or "sent",
            mail.get("messageId") or state.get("message_id") or "",
        )


def money(amount: JsonValue, currency: JsonValue) -> str:
    """Return an amount of minor units in units of its currency, such as `58,000 KRW`; as given without known units."""
    try:
        return f"{Decimal(str(amount)).scaleb(-exponent(str(currency))):,} {currency}"
    except InvalidField:
        return f"{amount} {currency or ''}".strip()


def _position(record: Mapping[str, JsonValue] | None) -> str:
    return f"{record['topic']} {record['partition']}/{record['offset']}" if record else ""


def _table(title: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    if not lines:
        return f"<h2>{escape(title)}</h2><p>None.</p>"
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def listed(title: str, sentences: Sequence[str]) -> str:
    """Return a section with a list; empty if there is nothing to list."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<h2>{escape(title)}</h2><ul>{items}</ul>" if items else ""
