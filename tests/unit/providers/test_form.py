"""Forms: read to the letter, or refused."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import form
from providers.contract import Malformed, Refused, Unreadable

TEXTS = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20)


@given(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=8))
def test_what_was_written_is_read(fields: dict[str, str]) -> None:
    assert form.read(urlencode(fields).encode()) == fields


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        form.read(raw, ("utf-8", "cp949"))
    except Refused:
        return


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1+2%2B3", {"a": "1 2+3"}),
        (b"a&b=", {"a": "", "b": ""}),
        (b"a=b=c&&", {"a": "b=c"}),
        ("이름=김".encode(), {"이름": "김"}),
        ("name=김".encode("cp949"), {"name": "김"}),
    ],
)
def test_a_form_is_read(raw: bytes, fields: dict[str, str]) -> None:
    assert form.read(raw, ("utf-8", "cp949")) == fields


@pytest.mark.parametrize("raw", [b"", b"a=%", b"a=%1", b"a=%zz", b"a=%ff", b"&".join([b"a"] * 2000)])
def test_what_is_no_form_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        form.read(raw)


@pytest.mark.parametrize("raw", [b"a=1&a=2", b"a=1&%61=2", b"a=%00", b"\x00=1"])
def test_what_two_readers_could_read_differently_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        form.read(raw)
