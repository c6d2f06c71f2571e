"""Bodies for a column of JSON: JSON is unchanged, any other body becomes a JSON string."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.state.json_payload import as_json


@pytest.mark.parametrize(
    "body", [b'{"a": 1}', b" [1, 2.50]", b'"x"', b"null", '{"이름":"김"}'.encode(), b'{"a":1,"a":2}']
)
def test_json_is_kept_to_the_letter(body: bytes) -> None:
    assert as_json(body) == body.decode()


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'),
        (b'{"a": "\\ud800", "b\\u0000": "\\udc00\\ud800"}', '{"a": "\\ufffd", "b\\ufffd": "\\ufffd\\ufffd"}'),
        (b'{"a": "\\ud83d\\ude00 \\\\ud800 \\\\u0000 \\n"}', '{"a": "\\ud83d\\ude00 \\\\ud800 \\\\u0000 \\n"}'),
    ],
)
def test_characters_that_postgres_text_cannot_hold_are_replaced(body: bytes, kept: str) -> None:
    assert as_json(body) == kept


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"a=1&b=2", "a=1&b=2"),
        ("이름=김".encode(), "이름=김"),
        ("이름=김".encode("cp949"), "이름=김"),
        (b"\xff\xfe", "\xff\xfe"),
        (b"a\x00b", "a\ufffdb"),
        (b'{"a": "\xb1\xe8"}', '{"a": "김"}'),
        (b"{" * 100_000, "{" * 100_000),
    ],
)
def test_anything_else_is_one_text(body: bytes, text: str) -> None:
    assert json.loads(as_json(body)) == text


@given(st.binary())
def test_any_body_becomes_json_without_a_nul(body: bytes) -> None:
    written = as_json(body)

    json.loads(written)
    assert "\x00" not in written
