"""What is generated from the code is committed as the code would generate it now."""

from pathlib import Path

import pytest

from docs.generate import ROOT, pages


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    assert path.read_text() == pages()[path], "run `python -m docs.generate`"
