"""The reading path is short enough to be read at a sitting, leads to what it names, and has every point of a crash."""

import ast
import re
from pathlib import Path

import pytest

from docs.generate import ROOT

MAX_FILES, MAX_LINES = 12, 1_000
STRAIGHT_WAY = (ROOT / "README.md").read_text().partition("The straight way")[2].partition("\n## ")[0]
PAGE = (ROOT / "docs/one-webhook.md").read_text()
READING, _, CRASHES = PAGE.partition("## What a crash leads to")
PARTS = re.findall(r"\[([^\]]+)\]\(\.\./([^)]+\.py)\)", READING)
"""The label and the path of each link; the names in the label are those to read."""
POINT = re.compile(r"\b(?:worker|publisher|sender|poller)\.[a-z_]+\b")
MARKED = re.compile(r"@faults\.\w+\(\"([\w.]+)\"\)")


def lines(label: str, path: str) -> int:
    """Return the number of lines of the definitions that `label` names in the file, or of all when it names none."""
    text = (ROOT / path).read_text()
    if not (names := re.findall("`([^`]+)`", label)):
        return len(text.splitlines())
    return sum(spans(ast.parse(text))[name] for name in names)


def spans(tree: ast.Module | ast.ClassDef) -> dict[str, int]:
    """Return the number of lines of each function, class, method and constant, by its name."""
    found: dict[str, int] = {}
    for node in tree.body:
        length = (node.end_lineno or 0) - node.lineno + 1
        match node:
            case ast.ClassDef(name=name):
                found |= {name: length} | {f"{name}.{inner}": count for inner, count in spans(node).items()}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                found[name] = length
            case _:
                pass
    return found


def test_the_straight_way_has_at_most_12_files_and_1000_lines() -> None:
    files = re.findall(r"\]\(([^)]+)\)", STRAIGHT_WAY)

    assert 1 < len(files) <= MAX_FILES
    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert sum(lines("", name) for name in files) <= MAX_LINES
    assert set(files) <= {path for _, path in PARTS}


@pytest.mark.parametrize(("label", "path"), PARTS)
def test_each_part_to_read_is_there(label: str, path: str) -> None:
    assert lines(label, path) > 0


def test_all_parts_have_less_than_1000_lines() -> None:
    assert sum(lines(label, path) for label, path in PARTS) < MAX_LINES


def test_every_fault_point_has_a_row_that_names_a_test_which_tries_it() -> None:
    marked = {point for path in product() for point in MARKED.findall(path.read_text())}
    rows = [row for row in CRASHES.splitlines() if POINT.search(row)]
    tried = {point: file for row in rows for point in POINT.findall(row) for file in re.findall(r"tests/\S+\.py", row)}

    assert tried.keys() == marked
    assert [point for point, file in tried.items() if point not in (ROOT / file).read_text()] == []


def product() -> list[Path]:
    return [path for room in ("stream", "notifier", "confirmer", "gateway") for path in (ROOT / room).rglob("*.py")]
