"""Names of the code in pages are true: the files exist, and each `NAME` of a table of files is in its file."""

import re
from pathlib import Path

import pytest

from docs.generate import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = (
    "auditor|bench|cli|confirmer|console|docs|gateway|local|notifier|processors|providers|runtime|schemas"
    "|simulator|stream|tests"
)
FILE = re.compile(rf"(?<![\w/.{{}}-])(?:{FOLDERS})/[\w/.]+\.(?:py|avsc|toml|html|sql|md|json)\b")
NAMES_IN_FILE = re.compile(r"((?:`\w+`(?:, | and )?)+) in ([\w/]+\.py)")
EXAMPLE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_files_that_exist(page: Path) -> None:
    named = FILE.findall(EXAMPLE.sub("", page.read_text()))

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_a_name_said_to_be_in_a_file_is_in_it() -> None:
    said = [
        (name, file)
        for page in PAGES
        for names, file in NAMES_IN_FILE.findall(page.read_text())
        for name in re.findall(r"\w+", names.replace(" and ", " "))
    ]

    assert len(said) > 10
    assert [(name, file) for name, file in said if name not in (ROOT / file).read_text()] == []
