"""Tables on a terminal. Cells may contain text of senders, so markup and control characters are shown as text."""

from typing import TYPE_CHECKING

from runtime.plain_text import plain_line

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 200
"""Minimum width of a table, in columns. A narrower terminal wraps lines, so that no value is cut off."""


def table(*headers: str) -> "Table":
    """Return a table without rows; `add` fills it and `show` prints it."""
    from rich.table import Table

    return Table(*headers, box=None)


def add(to: "Table", *cells: str) -> None:
    """Add a row. Control characters and line breaks in a cell are shown as text."""
    from rich.text import Text

    to.add_row(*(Text(plain_line(cell)) for cell in cells))


def show(table: "Table", width: int = WIDE) -> None:
    """Print a table, at least `width` columns wide."""
    from rich.console import Console

    Console(width=max(Console().width, width), soft_wrap=True).print(table)
