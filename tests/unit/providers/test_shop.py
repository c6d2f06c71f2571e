"""The shop's own words: orders and people."""

import json
from typing import Any

import pytest

from providers.contract import InvalidField, Translation
from providers.parsing import notes
from providers.shop import webhook as shop
from stream.events import CustomerPayload, Micros, OrderId, OrderPayload
from stream.events.text.email_address import Unusable, parse
from tests.unit.providers.posted import posted

AT = "2023-11-15T10:30:00+09:00"
AT_MICROS = 1_700_011_800_000_000


def read(body: Any, kind: str = "order") -> tuple[Any, list[str]]:
    """The payload of a body, and what is noted of its fields."""
    with notes.Collector() as noted:
        return shop.translate(posted(body), kind).payload, noted


def order(**changes: Any) -> OrderPayload:
    payload = shop.translate(posted({"orderId": 1, "customerId": 2, **changes}), "order").payload
    assert isinstance(payload, OrderPayload)
    return payload


def test_a_full_order_is_read_to_the_last_field() -> None:
    changes = {
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

    translation = shop.translate(posted(changes, idempotency_key="k"), "order")

    payload = OrderPayload(
        order_id=OrderId("123"),
        customer_id="7",
        customer_email="kim@example.test",
        customer_name="김민지",
        seller_id="S-1",
        seller_email="seller@example.test",
        locale="ko-KR",
        amount=58000,
        currency="KRW",
        link="/orders/123",
        updated_at=Micros(AT_MICROS),
    )
    assert translation == Translation(payload, "order", Micros(AT_MICROS), "k", is_id_signed=False)


def test_a_full_customer_is_read_to_the_last_field() -> None:
    changes = {"customerId": 7, "email": "kim@example.test", "name": "김민지", "locale": "en", "updatedAt": AT}

    translation = shop.translate(posted(changes), "customer")

    payload = CustomerPayload(
        customer_id="7", email="kim@example.test", name="김민지", locale="en", updated_at=Micros(AT_MICROS)
    )
    assert translation == Translation(payload, "customer", Micros(AT_MICROS), None)


@pytest.mark.parametrize("reader", [{"customerId": 1}, {"customerEmail": "a@b.c"}])
def test_an_order_names_who_is_told_of_it(reader: dict[str, Any]) -> None:
    assert shop.translate(posted({"orderId": 1, **reader}), "order").event_type == "order"


def test_an_order_that_names_nobody_is_refused() -> None:
    with pytest.raises(InvalidField, match="customerEmail or customerId"):
        shop.translate(posted({"orderId": 1}), "order")


def test_an_order_may_leave_its_amount_out() -> None:
    assert (order().amount, order().currency) == (None, None)
    assert (order(amount=None).amount, order(amount=None).currency) == (None, None)


@pytest.mark.parametrize("nothing", [0, 0.0])
def test_an_order_of_nothing_is_an_order(nothing: float) -> None:
    free = order(amount=nothing)

    assert (free.amount, free.currency) == (0, "KRW")


@pytest.mark.parametrize("amount", [-1, "58000", 58000.5, True])
def test_an_amount_that_is_none_is_refused(amount: Any) -> None:
    with pytest.raises(InvalidField, match="amount"):
        order(amount=amount)


def test_an_amount_is_in_the_currency_it_names_else_in_won() -> None:
    assert (order(amount=58000).amount, order(amount=58000).currency) == (58000, "KRW")
    assert (order(amount=12.34, currency="USD").amount, order(currency="USD", amount=1).currency) == (1234, "USD")


@pytest.mark.parametrize("currency", ["won", "KR", "XXX", "DOGE", "US"])
def test_a_currency_that_does_not_exist_is_refused_even_without_an_amount(currency: str) -> None:
    with pytest.raises(InvalidField):
        order(currency=currency)


@pytest.mark.parametrize(
    "locale", ["ko", "en", "EN", "ko-KR", "ko_KR", "zh-Hant-TW", "ko-KR,ko;q=0.9", "*", "en_US.UTF-8", "korean"]
)
def test_a_locale_is_kept_as_it_is_written(locale: str) -> None:
    assert order(locale=locale).locale == locale


@pytest.mark.parametrize("locale", ["../ko", "ko\n{}", "한국어", "ko" * 200, 5, ["ko"], {"a": 1}])
def test_what_is_no_locale_costs_no_more_than_itself(locale: Any) -> None:
    payload, noted = read({"orderId": 1, "customerId": 2, "locale": locale})

    assert payload == order()
    assert noted == ["locale cannot be used and is left out"]


@pytest.mark.parametrize("link", ["/orders/1", "https://shop.test/o?a=1&b=2#c", "http://shop.test/주문"])
def test_a_link_is_kept_as_it_is_written(link: str) -> None:
    assert order(link=link).link == link


@pytest.mark.parametrize(
    "link", ["orders/1", "javascript:alert(1)", "ftp://a", "https://a b", 'https://a"b', "/a>b", "/\n", "/" * 1001, 7]
)
def test_a_link_that_could_be_more_than_one_costs_no_more_than_itself(link: Any) -> None:
    payload, noted = read({"orderId": 1, "customerId": 2, "link": link})

    assert payload == order()
    assert noted == ["link cannot be used and is left out"]


@pytest.mark.parametrize("empty", ["", "  ", None])
@pytest.mark.parametrize("field", ["customerEmail", "customerName", "sellerId", "sellerEmail", "locale", "link"])
def test_an_empty_field_says_nothing(field: str, empty: str | None) -> None:
    assert read({"orderId": 1, "customerId": 2, field: empty}) == (order(), [])


def test_a_name_that_is_too_long_is_cut_and_a_note_says_so_without_it() -> None:
    payload, noted = read({"orderId": 1, "customerId": 2, "customerName": "김" * 1001})

    assert payload == order(customerName="김" * 1000)
    assert noted == ["customerName is longer than 1000 characters and is cut"]


@pytest.mark.parametrize("customer", ["x" * 129, "a\nb", {}, 1.5])
def test_a_customer_s_id_that_cannot_be_used_is_as_if_none_was_named(customer: Any) -> None:
    payload = shop.translate(posted({"orderId": 1, "customerEmail": "a@b.c", "customerId": customer}), "order").payload

    assert payload == OrderPayload(order_id=OrderId("1"), customer_email="a@b.c")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (" kim@example.test ", "kim@example.test"),
        ("kim@b\u00fccher.example", "kim@xn--bcher-kva.example"),
        ("김@example.test", "김@example.test"),
    ],
)
def test_an_address_stands_in_its_one_form_in_the_record(written: str, address: str) -> None:
    changes = order(customerEmail=written, sellerEmail=written)

    assert (changes.customer_email, changes.seller_email) == (address, address)
    assert customer(written).email == address


@pytest.mark.parametrize(
    "contact",
    [
        "=?utf-8?q?victim=40other.test=2C?=@x.test",
        *("a@b.c,d@e.f", "kim@x..test", "|kim@x.test", "nobody", "김" * 300 + "@x.test"),
        *(5, True, ["a@b.c"], {"email": "a@b.c"}),
        "a@b.c" + " " * 500 + "x",
    ],
)
def test_a_contact_that_cannot_be_mailed_leaves_the_order_and_the_customer_valid(contact: Any) -> None:
    body = json.dumps({"orderId": 1, "customerEmail": contact, "sellerEmail": contact}).encode()

    payload, noted = read(body)

    for stored, note in zip((payload.customer_email, payload.seller_email), noted, strict=True):
        assert stored
        assert len(stored) <= 321
        assert "no address that can be mailed: " in note
        with pytest.raises(Unusable):
            parse(stored)
    with pytest.raises(Unusable):
        parse(customer(contact).email)


@pytest.mark.parametrize(
    "contact", ["kim@x.test\n", "kim@x.test\r\nBcc: lee@x.test", "\tkim@x.test", "k\x7fim@x.test", "k\0im@x.test"]
)
@pytest.mark.parametrize("field", ["customerEmail", "sellerEmail"])
def test_a_control_character_in_a_contact_is_refused(field: str, contact: str) -> None:
    with pytest.raises(InvalidField, match=f"{field} holds a control character"):
        order(**{field: contact})
    with pytest.raises(InvalidField, match="email holds a control character"):
        customer(contact)


def test_a_customer_may_have_no_address_any_more_but_has_to_say_so() -> None:
    assert customer("").email == ""
    with pytest.raises(InvalidField, match="email"):
        shop.translate(posted({"customerId": 7}), "customer")


def customer(email: Any) -> CustomerPayload:
    payload = shop.translate(posted(json.dumps({"customerId": 7, "email": email}).encode()), "customer").payload
    assert isinstance(payload, CustomerPayload)
    return payload


def test_half_a_letter_in_a_contact_leaves_the_order_valid_and_is_no_address() -> None:
    payload, noted = read(b'{"orderId": 1, "customerEmail": "kim\\ud800@x.test"}')

    assert payload.customer_email == "kim\ufffd@x.test"
    assert noted == ["customerEmail is no address that can be mailed: it holds a character that could not be read"]
