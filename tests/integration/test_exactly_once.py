"""However often a webhook comes, it changes one row once and is told once."""

from concurrent.futures import ThreadPoolExecutor

from processors.payment.domain import Payment, apply
from stream import ids, topics
from tests.actors import Inbox, Reply, Shop, Store, new_order, until
from tests.builders import a_payment
from tests.log import CODEC, append, reading
from tests.processes import kill

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
    assert len(inbox.wait_for(customer)) == 1


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
    assert len(inbox.wait_for(customer)) == 1


def test_other_content_under_the_same_idempotency_key_is_a_conflict_and_changes_nothing(
    shop: Shop, payments: Store, system: dict[str, str]
) -> None:
    order, key = new_order(), new_order()

    with reading(system, topics.OUTCOMES) as outcomes:
        shop.post("payment", {"orderId": order, "status": "completed", "amount": 1000}, Idempotency_Key=key)
        shop.post("payment", {"orderId": order, "status": "completed", "amount": 9000}, Idempotency_Key=key)
        event_id = ids.event_id("generic", "test", key)
        outcomes.wait_for(lambda outcome: outcome.event_id == event_id and outcome.outcome == "conflict")

    assert payments.rows("SELECT amount, version FROM payments WHERE order_id = %s", order) == [
        {"amount": 1000, "version": 1}
    ]


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
        (kept,) = payments.wait_for(
            "SELECT value, \"offset\" FROM parked WHERE key = %s AND status = 'abandoned'", order.encode()
        )
        letter = dead.wait_for(lambda letter: letter.offset == kept["offset"])

    assert (letter.key, letter.value, bytes(kept["value"])) == (None, None, value)


def test_what_a_dead_worker_left_in_its_outbox_is_told_by_the_next(shop: Shop, system: dict[str, str]) -> None:
    order = new_order()
    pay(shop, order)
    store = Store(system["PAYMENT_DATABASE_URL"])
    store.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    _, _, (fact,) = apply(Payment(order), a_payment(order=order))

    with reading(system, topics.PAYMENTS) as told:
        (left,) = store.rows(
            "INSERT INTO outbox (source_topic, source_partition, topic, key, value)"
            " SELECT topic, partition, 'payments.v1', convert_to(%s, 'UTF8'), %s FROM ownership"
            " WHERE topic = 'webhooks.payment.v1' LIMIT 1 RETURNING id",
            order,
            CODEC.encode(fact),
        )
        kill(system, "PAYMENT")
        again = told.wait_for(lambda one: one == fact)

    assert again == fact
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
