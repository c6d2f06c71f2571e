"""Tables as CSV files that spreadsheets read."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from console.web.page import Download

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""The first characters that make a spreadsheet evaluate a cell. Such texts, which senders may choose, get a quote."""


def download(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Download:
    """Return a table as the CSV file `name`: UTF-8 with a byte order mark, so that Excel shows Korean.

    The content type has no charset: Litestar adds it to every text.
    """
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return Download(name, out.getvalue().encode("utf-8-sig"), "text/csv")


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
