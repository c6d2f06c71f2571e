"""However often a webhook comes, it changes one row once and is told once."""

from concurrent.futures import ThreadPoolExecutor

from processors.payment.domain import Payment
from stream.events import OrderId, topics
from tests.actors import Inbox, Reply, Shop, Store, new_order, until
from tests.builders import a_payment
from tests.log import CODEC, append, reading
from tests.processes import kill
from tests.working_sets import apply_to_payment

HUNDRED = 100


def test_the_same_webhook_a_hundred_times_at_once_is_one_change_and_one_mail(
    shop: Shop, inbox: Inbox, payments: Store, system: dict[str, str]
) -> None:
    order, customer = a_known_order(shop)

    with ThreadPoolExecutor(20) as senders:
        replies = list(senders.map(lambda _: pay(shop, order), range(HUNDRED)))

    assert {reply.status for reply in replies} == {200}
    handled(system, shop)
    assert changes(payments, order) == [{"version": 1, "history": 1}]
    assert len(inbox.all_of(customer, order, Store(system["NOTIFIER_DATABASE_URL"]))) == 1


def test_the_same_webhook_across_a_killed_processor_is_one_change_and_one_mail(
    shop: Shop, inbox: Inbox, payments: Store, system: dict[str, str]
) -> None:
    order, customer = a_known_order(shop)
    pay(shop, order)
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)

    for service in ("PAYMENT", "NOTIFIER", "GATEWAY"):
        kill(system, service)
        until(lambda: answered(shop, order), bool)

    handled(system, shop)
    assert changes(payments, order) == [{"version": 1, "history": 1}]
    assert len(inbox.all_of(customer, order, Store(system["NOTIFIER_DATABASE_URL"]))) == 1


def test_another_body_under_an_idempotency_key_that_stands_is_reported_and_counts_by_what_it_says(
    shop: Shop, payments: Store, system: dict[str, str]
) -> None:
    """The key is not signed: a body replayed under it must not displace the one it was made for."""
    replayed, genuine, key = new_order(), new_order(), new_order()

    with reading(system, topics.OUTCOMES) as outcomes, reading(system, topics.PAYMENT_WEBHOOKS) as webhooks:
        shop.post("payment", {"orderId": replayed, "status": "completed", "amount": 1000}, Idempotency_Key=key)
        shop.post("payment", {"orderId": genuine, "status": "completed", "amount": 9000}, Idempotency_Key=key)
        payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s AND amount = 9000", genuine)
        disputed = outcomes.wait_for(lambda one: one.outcome == "conflict" and one.service == "payment")
        ours = [webhooks.wait_for(lambda one, who=who: one.payload.order_id == who) for who in (replayed, genuine)]

    # Which of the two stands is the first that was handled: they are of two partitions.
    assert disputed.event_id in {one.envelope.event_id for one in ours}
    assert payments.wait_for("SELECT amount FROM payments WHERE order_id = %s", replayed) == [{"amount": 1000}]


def test_a_body_replayed_under_another_idempotency_key_counts_once(shop: Shop, payments: Store) -> None:
    order, after = new_order(), new_order()
    body = {"orderId": order, "status": "pending", "amount": 1000}

    for key in (new_order(), new_order(), new_order()):
        shop.post("payment", body, Idempotency_Key=key)
    shop.post("payment", body)
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 1000, "transactionId": after})
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s AND status = 'completed'", order)

    assert payments.rows("SELECT count(*) AS n FROM payment_history WHERE order_id = %s", order) == [{"n": 2}]


def test_one_idempotency_key_on_three_paths_is_three_events(
    shop: Shop, payments: Store, system: dict[str, str]
) -> None:
    order, key = new_order(), new_order()
    parcel = {"orderId": order, "status": "delivered", "carrier": "CJ대한통운", "trackingNumber": order}

    shop.post("payment", {"orderId": order, "status": "completed", "amount": 1000}, Idempotency_Key=key)
    shop.post("shipping", parcel, Idempotency_Key=key)
    shop.post("refund", {"orderId": order, "refundId": order, "status": "completed"}, Idempotency_Key=key)

    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    Store(system["SHIPPING_DATABASE_URL"]).wait_for("SELECT 1 FROM shipments WHERE order_id = %s", order)
    Store(system["REFUND_DATABASE_URL"]).wait_for("SELECT 1 FROM refunds WHERE order_id = %s", order)


def test_a_record_nobody_can_decode_is_dead_at_once_and_holds_nothing_up(
    shop: Shop, payments: Store, system: dict[str, str]
) -> None:
    order = new_order()

    with reading(system, topics.dead("payment")) as dead:
        append(system, topics.PAYMENT_WEBHOOKS, order, b"\x00\x00\x00\x00\x01 no record")
        pay(shop, order)
        letter = dead.wait_for(lambda letter: letter.key == order.encode())

    assert (letter.service, letter.value) == ("payment", b"\x00\x00\x00\x00\x01 no record")
    assert payments.wait_for("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]


def test_a_record_nobody_can_decode_nor_enclose_in_a_letter_is_dead_at_once_and_holds_nothing_up(
    shop: Shop, payments: Store, system: dict[str, str]
) -> None:
    """A letter larger than Kafka takes would end each processor that comes by."""
    order, value = new_order(), b"\x00" * 999_900

    with reading(system, topics.dead("payment")) as dead:
        append(system, topics.PAYMENT_WEBHOOKS, order, value)
        pay(shop, order)
        payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
        (stored,) = payments.wait_for(
            "SELECT value, \"offset\" FROM retries WHERE key = %s AND status = 'dead'", order.encode()
        )
        letter = dead.wait_for(lambda letter: letter.offset == stored["offset"])

    assert (letter.key, letter.value, bytes(stored["value"])) == (None, None, value)


def test_what_a_dead_worker_left_in_its_outbox_is_told_by_the_next(shop: Shop, system: dict[str, str]) -> None:
    order = new_order()
    pay(shop, order)
    store = Store(system["PAYMENT_DATABASE_URL"])
    store.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    _, _, (event,) = apply_to_payment(Payment(OrderId(order)), a_payment(order=order))

    with reading(system, topics.PAYMENTS) as published:
        (left,) = store.rows(
            "INSERT INTO outbox (source_topic, source_partition, topic, key, value)"
            " SELECT topic, partition, 'payments.v1', convert_to(%s, 'UTF8'), %s FROM ownership"
            " WHERE topic = 'webhooks.payment.v1' LIMIT 1 RETURNING id",
            order,
            CODEC.encode(event),
        )
        kill(system, "PAYMENT")
        again = published.wait_for(lambda one: one == event)

    assert again == event
    until(lambda: store.rows("SELECT 1 FROM outbox WHERE id = %s", left["id"]), lambda rows: not rows)


def test_an_order_is_told_to_whoever_asks_for_its_address_first(shop: Shop, inbox: Inbox) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"

    pay(shop, order)
    shop.post("customer", {"customerId": order, "email": customer, "locale": "en"})
    shop.post("order", {"orderId": order, "customerId": order})

    assert [mail["Subject"] for mail in inbox.wait_for(customer)] == [f"Order {order}: payment received"]


def a_known_order(shop: Shop) -> tuple[str, str]:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer})
    return order, customer


def pay(shop: Shop, order: str) -> Reply:
    return shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000, "transactionId": "TXN-1"})


def answered(shop: Shop, order: str) -> bool:
    try:
        return pay(shop, order).status == 200
    except OSError:
        return False


def changes(payments: Store, order: str) -> list[dict[str, int]]:
    return payments.rows(
        "SELECT version, (SELECT count(*) FROM payment_history WHERE payment_history.order_id = payments.order_id)"
        " AS history FROM payments WHERE order_id = %s",
        order,
    )


def handled(system: dict[str, str], shop: Shop) -> None:
    """Wait until everything sent so far has been handled: until what was sent last, on every partition, has been."""
    payments, notifier = Store(system["PAYMENT_DATABASE_URL"]), Store(system["NOTIFIER_DATABASE_URL"])
    last = [new_order() for _ in range(60)]
    for order in last:
        pay(shop, order)
    for store, table in ((payments, "payments"), (notifier, "notifications")):
        store.wait_for(f"SELECT 1 FROM {table} WHERE order_id = ANY (%s)", last, count=len(last))
