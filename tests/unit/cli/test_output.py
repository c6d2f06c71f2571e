"""What strangers posted is shown as text: it steers no terminal, is no markup, and looks like no line of ours."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import output
from local.messages import CommandError, print_error, say, say_all
from runtime.plain_text import counted, plain, plain_line

ROOT = Path(__file__).parents[3]
HOSTILE = "[red]x[/red] \x1b]0;owned\x07 \x1b[2J \x9b31m \r\u202egnp.exe [link=http://a]y[/link] :smile: \x7f"
AS_TEXT = "[red]x[/red] \\x1b]0;owned\\x07 \\x1b[2J \\x9b31m \\x0d\\u202egnp.exe [link=http://a]y[/link] :smile: \\x7f"


def test_a_line_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"refund {HOSTILE}\nall is well")

    assert capsys.readouterr().out == f"refund {AS_TEXT}\\nall is well\n"


def test_a_mail_keeps_its_lines_and_a_trouble_too(capsys: pytest.CaptureFixture[str]) -> None:
    say_all(f"one\n\t{HOSTILE}")
    print_error(CommandError(f"two\n{HOSTILE}"))

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"one\n\t{AS_TEXT}\n", f"two\n{AS_TEXT}\n")


def test_a_table_shows_its_cells_as_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then writes to a pipe as to a terminal
    table = output.table("id", "error")
    output.add(table, HOSTILE, "first\nsecond")
    output.show(table)

    shown = capsys.readouterr().out.splitlines()[-1]
    assert AS_TEXT in shown
    assert "first\\nsecond" in shown


@given(st.text(st.characters(codec=None)))
def test_no_text_steers_a_terminal(text: str) -> None:
    shown = plain_line(text)

    assert all(character.isprintable() or character in " \t\u00a0" or ord(character) > 0x9F for character in shown)
    assert "\x1b" not in shown
    shown.encode()
    assert plain(shown) == shown


def test_letters_of_every_language_stay_as_they_are() -> None:
    assert plain("주문 123 · 배송 완료 — ½ 😀 שלום\n\t") == "주문 123 · 배송 완료 — ½ 😀 שלום\n\t"


@pytest.mark.parametrize("folder", ["cli", "local", "simulator", "auditor"])
def test_everything_is_printed_by_those_that_show_it_as_text(folder: str) -> None:
    ways = re.compile(r"\bprint\(|sys\.std(out|err)\.write\(|add_row\(|typer\.echo\(")
    others = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / folder).rglob("*.py")
        if path.relative_to(ROOT).as_posix()
        not in ("local/messages.py", "cli/output.py", "local/processes/launcher.py")
        for line in path.read_text().splitlines()
        if ways.search(line) and "plain(" not in line
    ]

    assert others == []


def test_a_bug_is_shown_as_text() -> None:
    script = (
        "import sys; from cli.__main__ import _show_failure; sys.excepthook = _show_failure\n"
        "raise RuntimeError(chr(27) + ']0;x')"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False)

    assert b"\x1b" not in ended.stderr
    assert b"RuntimeError: \\x1b]0;x" in ended.stderr


@pytest.mark.parametrize(("count", "text"), [(0, "0 mails"), (1, "1 mail"), (2, "2 mails")])
def test_a_count_has_its_noun_in_the_singular_or_plural(count: int, text: str) -> None:
    assert counted(count, "mail") == text
    assert counted(count, "entry", "entries").startswith(f"{count} entr")
