"""The name of an evidence file: safe on every file system, and another for every order."""

from hypothesis import given
from hypothesis import strategies as st

from evidence.bundle import safe_name


@given(st.text(min_size=1, max_size=200))
def test_a_name_is_safe_whatever_the_order(order: str) -> None:
    name = safe_name(order)

    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| \n.')
    assert len(name) <= 100


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_two_orders_never_share_a_name(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_a_plain_order_is_named_plainly() -> None:
    assert safe_name("ORD-123") == "evidence-ORD-123"
    assert safe_name("2026/0001").startswith("evidence-2026_0001-")
