"""The tests that pages name exist, so that no guard is claimed which nothing holds."""

import re
from pathlib import Path

import pytest

from docs.generate import ROOT

PAGES = [ROOT / "SECURITY.md", *sorted((ROOT / "docs/decisions").glob("*.md"))]
TEST = re.compile(r"tests/[\w/]+(?:\.py|/)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_tests_that_exist(page: Path) -> None:
    named = TEST.findall(page.read_text())

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_threat_names_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    threats = text.partition("## Threats")[2].partition("## ")[0]
    rows = [line for line in threats.splitlines() if line.startswith("| ")][1:]

    assert len(rows) > 10
    assert [row for row in rows if not (TEST.search(row) or "`make " in row)] == []
