"""What of a body is found: values, words and paths, in JSON, forms and whatever else; and nothing by chance."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import terms

BODY = json.dumps(
    {
        "orderId": "2026-0001",
        "customer": {"email": "Kim@Example.test", "name": "김민지 고객"},
        "items": [{"sku": "A-1", "amount": 58000}, {"sku": "B-2", "amount": 1.5}],
        "trackingNumber": "1234-5678-9012",
        "paid": True,
        "memo": None,
    }
).encode()


@pytest.mark.parametrize(
    "query",
    [
        "2026-0001",
        "kim@example.test",
        " KIM@example.TEST ",
        "김민지",
        "김민지 고객",
        "58000",
        "1.5",
        "123456789012",
        "1234 5678 9012",
        "customer.email=kim@example.test",
        "$.items[1].sku = B-2",
        "items[*].amount: 58000",
        'orderid="2026-0001"',
    ],
)
def test_a_value_a_word_or_a_path_is_found(query: str) -> None:
    assert set(terms.of_query(query)) & set(terms.of_body(BODY))
    assert terms.matches(BODY, query)


@pytest.mark.parametrize("query", ["2026", "kim@example", "items.sku=58000", "true", "null", "sku", "customer.email"])
def test_a_part_of_a_value_or_a_name_alone_is_not_found(query: str) -> None:
    assert not set(terms.of_query(query)) & set(terms.of_body(BODY))
    assert not terms.matches(BODY, query)


def test_forms_and_bodies_that_were_cut_off_are_found_too() -> None:
    assert terms.matches(b"P_OID=2026-0001&P_AMT=58000", "p_oid=2026-0001")
    assert terms.matches(b"P_OID=2026-0001&P_AMT=58000", "58000")
    assert terms.matches(BODY[:60], "2026-0001")
    assert terms.matches(b"<xml>kim@example.test</xml>", "kim@example.test")


@given(st.binary(max_size=300))
def test_any_bytes_have_terms_that_fit_the_column(body: bytes) -> None:
    assert all(-(2**31) <= term < 2**31 for term in terms.of_body(body))


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.integers() | st.text(max_size=20), max_size=5))
def test_every_value_of_a_flat_body_is_found(body: dict[str, int | str]) -> None:
    raw = json.dumps(body).encode()
    for value in body.values():
        if str(value).strip() and terms.matches(raw, str(value)):
            assert set(terms.of_query(str(value))) & set(terms.of_body(raw))


def test_the_paths_of_a_value_say_whose_it_is() -> None:
    body = b'{"order": {"customerEmail": "Kim@example.test"}, "seller": {"email": "kim@example.test"}, "memo": "kim"}'

    assert terms.paths(body, "kim@example.test") == {"order.customeremail", "seller.email"}
    assert terms.paths(body, "lee@example.test") == set()
