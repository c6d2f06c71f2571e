"""Each row of the two matrices names what shows it, and what is named is there."""

import re
from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS
from tests.e2e import bad_input

TESTS = Path(__file__).parents[1]
MATRIX = (TESTS / "fault_matrix.md").read_text()
ROWS = dict(re.findall(r"^\| ([FB]\d\d) \| .* \| (.+?) \|$", MATRIX, re.MULTILINE))


def test_every_row_is_there_once() -> None:
    assert list(ROWS) == [*(f"F{n:02}" for n in range(1, 71)), *(f"B{n:02}" for n in range(1, 85))]
    assert len(re.findall(r"^\| [FB]\d\d ", MATRIX, re.MULTILINE)) == len(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_what_a_row_names_is_there(row: str) -> None:
    shown = ROWS[row]
    named = re.findall(r"([\w/]+\.py)::(\w+)", shown)
    faults = [name for name in (one.name for one in FAULTS) if f"chaos: {name}" in shown]
    inputs = re.findall(r"bad_input\.py: (B\d\d)", shown)

    assert [f"{file}::{test}" for file, test in named if not has(file, test)] == []
    assert set(inputs) <= {name.split()[0] for name in names_of_bad_input()}
    assert named or faults or inputs or shown.startswith("not here: ")
    assert shown.count("chaos: ") == len(faults)


def test_every_fault_of_the_chaos_stands_for_a_row_that_names_it() -> None:
    assert [
        (fault.name, row) for fault in FAULTS for row in fault.rows if f"chaos: {fault.name}" not in ROWS[row]
    ] == []


def has(file: str, test: str) -> bool:
    return re.search(rf"^def {test}\(", (TESTS / file).read_text(), re.MULTILINE) is not None


def names_of_bad_input() -> list[str]:
    return [row.name for row in (*bad_input.ACCEPTED, *bad_input.REFUSED, *bad_input.UNREADABLE)]
