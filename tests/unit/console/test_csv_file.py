"""Tables as files for spreadsheets."""

from hypothesis import given
from hypothesis import strategies as st

from console.pages.operations.csv_file import FORMULA, download


def test_a_table_is_read_as_it_was_written() -> None:
    file = download("a.csv", ("day", "n"), [("2026-02-03", 7), ('a "b", c', None)])

    assert file.content.decode("utf-8-sig") == 'day,n\r\n2026-02-03,7\r\n"a ""b"", c",\r\n'


@given(st.sampled_from(FORMULA), st.text())
def test_no_cell_is_a_formula(start: str, rest: str) -> None:
    text = download("a.csv", ("a",), [(start + rest,)]).content.decode("utf-8-sig")

    assert text.removeprefix("a\r\n").lstrip('"').startswith("'")
