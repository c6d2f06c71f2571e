"""The order ids of a refused body, of which only the beginning is known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.events import order_ids


@pytest.mark.parametrize(
    ("provider", "excerpt", "found"),
    [
        ("generic", b'{"orderId": 123, "status": "completed"}', ("123",)),
        ("generic", b'{"orderId":"2026/0001","amount":5', ("2026/0001",)),
        ("toss", b'{"data": {"orderId": "\\uc8fc\\ubb38-7"}}', ("주문-7",)),
        ("portone_v1", b'{"imp_uid": "i", "merchant_uid": "m-1"}', ("m-1",)),
        ("portone_v2", b'{"data": {"paymentId": "p-1"}}', ("p-1",)),
        ("naverpay", b'{"paymentId": "n-1", "merchantPayKey": "k-1"}', ("k-1",)),
        ("inicis", b"P_STATUS=00&P_OID=o%2F1&P_AMT=10", ("o/1",)),
        ("generic", b'{"order_id": "b", "orderId": "a", "orderId": "a"}', ("a", "b")),
    ],
)
def test_an_order_is_found_where_its_provider_names_it(provider: str, excerpt: bytes, found: tuple[str, ...]) -> None:
    assert order_ids.find(provider, excerpt) == found


@pytest.mark.parametrize(
    "excerpt",
    [
        b"",
        b'{"orderId": "cut in the midd',
        b'{"orderId": 12',
        b'{"orderId": "\\ud800',
        b'{"orderId": "a\\u0000b"}',
        b"P_OID=",
    ],
)
def test_a_part_of_an_id_is_not_taken_for_the_id(excerpt: bytes) -> None:
    assert order_ids.find("generic", excerpt) == ()


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=50), st.integers(0, 30))
def test_every_printable_id_is_found_whatever_follows(order: str, cut: int) -> None:
    body = json.dumps({"a": {"orderId": order}, "text": "x" * 40}).encode()

    assert order_ids.find("generic", body[: len(body) - cut]) == (order,)


@given(st.binary(max_size=300))
def test_no_body_breaks_it(excerpt: bytes) -> None:
    assert len(order_ids.find("inicis", excerpt)) <= order_ids.MAX_IDS
