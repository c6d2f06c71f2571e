"""The page that lists a customer's orders and leads to the evidence about each: HTML without scripts. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from evidence.page import AMOUNTS, document, listed, money
from runtime.json_value import JsonValue

STATE = ("payment_status", "paid_amount", "shipping_status", "refund_status", "refunded_amount")
SECONDS = len("2026-02-03T00:00:00")
HEADERS = (
    "order · 주문",
    "first · 처음 (UTC)",
    "last · 마지막 (UTC)",
    "payment · 결제",
    "paid · 결제 금액",
    "parcel · 배송",
    "refund · 환불",
    "entries",
)


class Line(NamedTuple):
    """An order in the list: its folder, its state by the columns of STATE, and the number of its entries.

    `first_at` and `last_at` are the times of its first and last webhook as the console's API has them, empty without
    one.
    """

    order: str
    folder: str
    first_at: str
    last_at: str
    state: Mapping[str, str]
    entries: int


def line(order: str, folder: str, entries: int, life: Mapping[str, JsonValue]) -> Line:
    """Return the line of an order, given as the console's API returns it."""
    times = sorted(webhook["receivedAt"] for webhook in life["webhooks"] if webhook["receivedAt"])
    known = life.get("state") or {}
    state = {
        name: money(known[name], life.get("currency")) if name in AMOUNTS else str(known[name])
        for name in STATE
        if known.get(name) is not None
    }
    return Line(order, folder, times[0] if times else "", times[-1] if times else "", state, entries)


def render(customer: str, lines: Sequence[Line], about: Mapping[str, JsonValue], notes: Sequence[str]) -> str:
    """Return the page. `about` needs madeAt, version, mode and redaction; `notes` say what is left out."""
    title = f"Evidence about the orders of {customer}"
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in HEADERS)
    rows = "".join(f"<tr>{_cells(line)}</tr>" for line in lines)
    table = f'<h2>Orders · 주문 ({len(lines)})</h2><div class="wide"><table><tr>{head}</tr>{rows}</table></div>'
    return document(title, about, [table, listed("Not included · 빠진 것", notes), f"<p>{escape(CHECKED)}</p>"])


CHECKED = (
    "Each order has a folder with a page, its entries and a digest chain. SHA256SUMS beside this page has the digest "
    "of each folder's manifest; README.txt says how to check them. "
    "주문마다 폴더가 하나 있고, 확인 방법은 README.txt에 있습니다."
)


def _cells(line: Line) -> str:
    link = f'<a href="{quote(line.folder)}/index.html">{escape(line.order)}</a>'
    refund = " ".join(filter(None, (line.state.get("refund_status"), line.state.get("refunded_amount"))))
    texts = (
        line.first_at[:SECONDS].replace("T", " "),
        line.last_at[:SECONDS].replace("T", " "),
        line.state.get("payment_status", ""),
        line.state.get("paid_amount", ""),
        line.state.get("shipping_status", ""),
        refund if line.state.get("refund_status") else "",
        str(line.entries),
    )
    return f"<td>{link}</td>" + "".join(f"<td>{escape(text)}</td>" for text in texts)
