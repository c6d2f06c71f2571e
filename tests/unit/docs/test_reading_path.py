"""The README's reading path is short enough to be read at a sitting, and its links lead to files."""

import re

from docs.generate import ROOT

MAX_FILES, MAX_LINES = 12, 1_000
SECTION = (ROOT / "README.md").read_text().partition("## Read it in this order")[2].partition("\n## ")[0]
PATH = SECTION.partition("Who calls the transaction")[0]


def lines(name: str) -> int:
    return len((ROOT / name).read_text().splitlines())


def test_the_reading_path_has_at_most_12_files_and_1000_lines() -> None:
    files = re.findall(r"\]\(([^)]+)\)", PATH)

    assert len(files) <= MAX_FILES
    assert sum(map(lines, files)) <= MAX_LINES, {name: lines(name) for name in files}


def test_every_link_of_the_reading_path_leads_to_a_file() -> None:
    assert [name for name in re.findall(r"\]\(([^)]+)\)", SECTION) if not (ROOT / name).is_file()] == []
