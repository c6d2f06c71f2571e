"""The quick look decides only how fast a body is read: each is refused, or not, as the slow reader refuses it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.contract import RefusedWebhook
from providers.parsing.json_body import _may_hold_huge_number, _may_repeat_key, _read_slowly

_raw = msgspec.json.Decoder(msgspec.Raw)

KEYS = st.sampled_from(
    [b"a", b"b", b"", b":", b"a:", b"\\u0061", b"\\u003a", b"\\u003A", b"\\\\u003a", b"\\n", "서울".encode()]
)
TEXTS = st.sampled_from([b"", b"x", b'\\"a\\":', b"a: b", b"\\u003a", b"::", b"\\/", b"\\ud83d\\ude00", "값".encode()])
NUMBERS = st.sampled_from(
    [
        b"0",
        b"-1",
        b"0.10",
        b"1e5",
        b"1E+308",
        b"1e400",
        b"1e0005",
        b"9" * 308,
        b"9" * 309,
        b"9" * 300 + b"e99",
        b"9" * 310,
    ]
)
BLANKS = st.sampled_from([b"", b" ", b"\n\t "])


def _object(pairs: list[tuple[bytes, bytes, bytes]]) -> bytes:
    return b"{" + b",".join(b'"' + key + b'"' + blank + b":" + value for key, blank, value in pairs) + b"}"


LEAVES = TEXTS.map(lambda text: b'"' + text + b'"') | NUMBERS | st.sampled_from([b"null", b"true"])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: b"[" + b",".join(items) + b"]")
        | st.lists(st.tuples(KEYS, BLANKS, inner), max_size=4).map(_object)
    ),
    max_leaves=12,
)


def quickly(body: bytes) -> None:
    if _may_repeat_key(body) or _may_hold_huge_number(body):
        _read_slowly(body)


def refusal(read: Any, body: bytes) -> tuple[type, str] | None:
    try:
        read(body)
    except RefusedWebhook as refused:
        return type(refused), str(refused)
    return None


@example(b'{":":"",":":[]}')
@given(JSON)
def test_every_body_is_refused_or_read_as_the_slow_reader_does(body: bytes) -> None:
    _raw.decode(body)  # valid, as every body is that gets here
    assert refusal(quickly, body) == refusal(_read_slowly, body)


@given(st.lists(st.tuples(KEYS, BLANKS, LEAVES), max_size=5))
def test_a_key_that_an_object_has_twice_is_always_found(pairs: list[tuple[bytes, bytes, bytes]]) -> None:
    names = [json.loads(b'"' + key + b'"') for key, _, _ in pairs]
    if len(names) != len(set(names)):
        assert refusal(quickly, _object(pairs)) is not None


@pytest.mark.parametrize("depth", [1, 100, 900, 999])
@pytest.mark.parametrize("inner", [b'{"a": 1, "a": 2}', b'[{"a": 1}, {"a": 2}]', b'"\\n"', b"1e400"])
def test_depth_changes_nothing(depth: int, inner: bytes) -> None:
    body = b"[" * depth + inner + b"]" * depth
    assert refusal(quickly, body) == refusal(_read_slowly, body)


def test_a_list_of_like_objects_raises_no_alarm() -> None:
    assert not _may_repeat_key(b'{"items": [{"sku": "1", "note": "a: b"}, {"sku": "2", "note": "\\n"}]}')
