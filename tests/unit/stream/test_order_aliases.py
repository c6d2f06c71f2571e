"""A replay of one order selects the records that name it or one of its aliases, and no others."""

from typing import Any

from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import ids, topics
from stream.events.topics import Topic
from stream.kafka.delivery import Delivery, delivery
from stream.replay.fill.order_aliases import OrderAliases
from tests.builders import a_payment, a_refund, a_scan, a_transfer, an_approval, an_invoice, an_order

CODEC = Codec(CommittedRegistry())


def test_a_record_is_selected_by_the_order_it_names() -> None:
    aliases = OrderAliases(("1",))

    assert aliases.include(on(topics.ORDERS, an_order(order="1")))
    assert aliases.include(on(topics.PAYMENT_WEBHOOKS, a_payment(order="1")))
    assert not aliases.include(on(topics.PAYMENT_WEBHOOKS, a_payment(order="2")))
    assert not aliases.include(on(topics.PAYMENT_WEBHOOKS, a_payment(order=None, alias="R")))


def test_a_webhook_that_names_only_the_payment_is_selected_by_its_alias() -> None:
    aliases = OrderAliases(("1",))
    failed = on(topics.PAYMENT_WEBHOOKS, a_payment("failed", order=None, alias="intent", aliases=("charge",)))
    refund = on(topics.REFUND_WEBHOOKS, a_refund(order=None, alias="charge"))

    aliases.include(on(topics.PAYMENT_WEBHOOKS, a_payment(order="1", aliases=("intent",))))

    assert (aliases.include(refund), aliases.include(failed), aliases.include(refund)) == (False, True, True)


def test_a_refund_is_of_the_order_whose_payment_has_its_transaction() -> None:
    aliases = OrderAliases(("1",))

    aliases.include(on(topics.PAYMENTS, an_approval("1", provider="generic", transaction_id="T-1")))

    assert aliases.include(on(topics.REFUND_WEBHOOKS, a_refund(order=None, alias="T-1")))
    assert not aliases.include(on(topics.REFUND_WEBHOOKS, a_refund(order="2", alias="T-1")))


def test_all_scans_of_an_orders_parcel_are_of_it() -> None:
    aliases = OrderAliases(("1",))
    parcel: dict[str, Any] = {"carrier_code": "cj", "tracking_number": "123"}

    aliases.include(on(topics.SHIPPING_WEBHOOKS, a_scan(order="1", **parcel)))

    assert aliases.include(on(topics.SHIPPING_WEBHOOKS, a_scan("delivered", order=None, **parcel)))
    assert not aliases.include(
        on(topics.SHIPPING_WEBHOOKS, a_scan(order=None, carrier_code="cj", tracking_number="124"))
    )


def test_a_transfer_is_of_the_invoice_that_it_pays() -> None:
    aliases = OrderAliases(("I-1",))

    aliases.include(on(topics.INVOICE_WEBHOOKS, an_invoice(invoice="I-1", transaction_id="tx")))

    assert aliases.include(on(topics.INVOICE_WEBHOOKS, a_transfer(transaction="tx", alias="tx")))
    assert not aliases.include(on(topics.INVOICE_WEBHOOKS, a_transfer(transaction="other", alias="other")))


def test_bytes_that_are_no_record_are_of_the_order_that_their_key_names() -> None:
    aliases = OrderAliases(("1",))

    assert aliases.include(delivery(CODEC, "webhooks.payment.v1", 0, 7, b"1", b"no record"))
    assert not aliases.include(delivery(CODEC, "webhooks.payment.v1", 0, 8, None, b"no record"))


def on(topic: Topic, record: Any) -> Delivery:
    event_id = getattr(record, "event_id", None) or ids.domain_event_id("a test's", repr(record))
    key = record.order_id if topic is topics.PAYMENTS else topic.key(record)
    return Delivery(record, event_id, None, topic.name, 0, 0, key.encode(), None)
