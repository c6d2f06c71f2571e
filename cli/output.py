"""The output of commands: tables for people, and with `--json` one object for programs.

Cells may contain text of senders, so markup and control characters are shown as text.
"""

import codecs
import io
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

import typer

from local.messages import say, say_all
from runtime.json_value import JsonValue
from runtime.plain_text import plain_line

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs: an object with a list.")]
GAP = "  "


@dataclass
class Table:
    """Headers and rows of text; every row has as many cells as there are headers."""

    headers: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)


def table(*headers: str) -> Table:
    """Return a table without rows, for `add` and `show`."""
    return Table(headers)


def add(to: Table, *cells: str) -> None:
    """Add a row to the table `to`. Control characters and line breaks in a cell are shown as text."""
    to.rows.append(tuple(map(plain_line, cells)))


def show(table: Table) -> None:
    """Print a table: its headers, then one line for each row, in columns as wide as their widest cell.

    Lines are not cut to the width of the terminal, so no id is cut off, and a pipe gets whole lines.
    """
    from rich.cells import cell_len

    lines = [table.headers, *table.rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        say(GAP.join(padded).rstrip())


def say_coloured(line: str, colour: str) -> None:
    """Print one line, on a terminal in `colour` (a name that click knows), unless NO_COLOR is set."""
    typer.secho(plain_line(line), fg=None if os.environ.get("NO_COLOR") else colour)


def say_list(
    name: str, items: Iterable[JsonValue], *, cursor: str | None = None, note: str | None = None, **more: JsonValue
) -> None:
    """Print the items as JSON: `{name: [...], "next": …, "note": …}` and the fields of `more`.

    `next` is the cursor of the next page and `note` a sentence about items that are left out; both are null when the
    list is complete.
    """
    say_json({name: list(items), **more, "next": cursor, "note": note})


def say_json(value: JsonValue) -> None:
    """Print a value as JSON. Characters that would steer a terminal are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    # JSON leaves DEL, C1 controls and bidirectional marks as they are; as \u escapes they stay the same text.
    say_all(
        "".join(
            character if character.isprintable() or character == "\n" else _escaped(character) for character in text
        )
    )


def cut_note(shown: int, total: int, option: str = "--limit") -> str | None:
    """Return the note that only `shown` of `total` items are shown and `option` shows more; None when all are shown."""
    return f"{shown} of {total} are shown; see {option}" if shown < total else None


def escape_unencodable() -> None:
    """Print what standard output cannot encode as the escapes of JSON's texts, so that `--json` stays JSON."""
    codecs.register_error("json escapes", _json_escapes)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="json escapes")


def _json_escapes(failure: UnicodeError) -> tuple[str, int]:
    """Return the escapes of the characters that cannot be encoded, and where to go on (`codecs.register_error`)."""
    if not isinstance(failure, UnicodeEncodeError):
        raise failure
    return json.dumps(failure.object[failure.start : failure.end])[1:-1], failure.end


def _escaped(character: str) -> str:
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]
