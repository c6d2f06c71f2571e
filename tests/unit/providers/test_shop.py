"""The shop's own words: orders and people."""

from typing import Any

import pytest

from providers import shop
from providers.contract import Translation, Unreadable
from stream.events import CustomerNotice, OrderNotice
from tests.unit.providers.posted import posted

AT = "2023-11-15T10:30:00+09:00"
AT_MICROS = 1_700_011_800_000_000


def order(**said: Any) -> OrderNotice:
    notice = shop.translate(posted({"orderId": 1, "customerId": 2, **said}), "order").notice
    assert isinstance(notice, OrderNotice)
    return notice


def test_a_full_order_is_read_to_the_last_field() -> None:
    said = {
        "orderId": 123,
        "customerId": 7,
        "customerEmail": "kim@example.test",
        "customerName": "김민지",
        "sellerId": "S-1",
        "sellerEmail": "seller@example.test",
        "locale": "ko-KR",
        "amount": 58000,
        "currency": "KRW",
        "link": "/orders/123",
        "updatedAt": AT,
    }

    translation = shop.translate(posted(said, idempotency_key="k"), "order")

    notice = OrderNotice(
        order_id="123",
        customer_id="7",
        customer_email="kim@example.test",
        customer_name="김민지",
        seller_id="S-1",
        seller_email="seller@example.test",
        locale="ko-KR",
        amount=58000,
        currency="KRW",
        link="/orders/123",
        updated_at=AT_MICROS,
    )
    assert translation == Translation(notice, "order", AT_MICROS, "k")


def test_a_full_customer_is_read_to_the_last_field() -> None:
    said = {"customerId": 7, "email": "kim@example.test", "name": "김민지", "locale": "en", "updatedAt": AT}

    translation = shop.translate(posted(said), "customer")

    notice = CustomerNotice(customer_id="7", email="kim@example.test", name="김민지", locale="en", updated_at=AT_MICROS)
    assert translation == Translation(notice, "customer", AT_MICROS, None)


@pytest.mark.parametrize("reader", [{"customerId": 1}, {"customerEmail": "a@b.c"}])
def test_an_order_names_who_is_told_of_it(reader: dict[str, Any]) -> None:
    assert shop.translate(posted({"orderId": 1, **reader}), "order").event_type == "order"


def test_an_order_that_names_nobody_is_refused() -> None:
    with pytest.raises(Unreadable, match="customerEmail or customerId"):
        shop.translate(posted({"orderId": 1}), "order")


def test_an_order_may_leave_its_amount_out_but_not_be_of_nothing() -> None:
    assert (order().amount, order().currency) == (None, None)
    with pytest.raises(Unreadable, match="amount"):
        order(amount=0)


def test_an_amount_is_in_the_currency_it_names_else_in_won() -> None:
    assert (order(amount=58000).amount, order(amount=58000).currency) == (58000, "KRW")
    assert (order(amount=12.34, currency="USD").amount, order(currency="USD", amount=1).currency) == (1234, "USD")


@pytest.mark.parametrize("currency", ["krw", "KR", "XXX", "DOGE", "USD "])
def test_a_currency_that_does_not_exist_is_refused_even_without_an_amount(currency: str) -> None:
    with pytest.raises(Unreadable):
        order(currency=currency)


@pytest.mark.parametrize("locale", ["ko", "en", "ko-KR", "ko_KR", "zh-Hant-TW"])
def test_a_locale_is_kept_as_it_is_written(locale: str) -> None:
    assert order(locale=locale).locale == locale


@pytest.mark.parametrize("locale", ["", "k", "korean", "ko-", "../ko", "ko\n", "ko KR"])
def test_what_is_no_locale_is_refused(locale: str) -> None:
    with pytest.raises(Unreadable, match="locale"):
        order(locale=locale)


@pytest.mark.parametrize("link", ["/orders/1", "https://shop.test/o?a=1&b=2#c", "http://shop.test/주문"])
def test_a_link_is_kept_as_it_is_written(link: str) -> None:
    assert order(link=link).link == link


@pytest.mark.parametrize(
    "link", ["", "orders/1", "javascript:alert(1)", "ftp://a", "https://a b", 'https://a"b', "/a>b", "/\n", "/" * 1001]
)
def test_a_link_that_could_be_more_than_one_is_refused(link: str) -> None:
    with pytest.raises(Unreadable, match="link"):
        order(link=link)
