"""Tables on a terminal. Their cells may hold what strangers posted, so nothing in them is markup or steers it."""

from typing import TYPE_CHECKING

from runtime.plain_text import plain_line

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 200
"""Rather lines that the terminal wraps than a word or a figure cut short."""


def table(*headers: str) -> "Table":
    """A table without rows; `add` fills it and `show` prints it."""
    from rich.table import Table

    return Table(*headers, box=None)


def add(to: "Table", *cells: str) -> None:
    """A row, each cell in one line and as text."""
    from rich.text import Text

    to.add_row(*(Text(plain_line(cell)) for cell in cells))


def show(what: "Table", width: int = WIDE) -> None:
    """Print a table."""
    from rich.console import Console

    Console(width=max(Console().width, width), soft_wrap=True).print(what)
