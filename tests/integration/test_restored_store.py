"""A store that is restored from a backup, or fell back to a standby, catches up; nobody is mailed twice."""

from pathlib import Path

import pytest

from stream.events import topics
from tests.actors import Inbox, Shop, Store, new_order, until
from tests.dumps import dump, restore, restore_unnoticed
from tests.log import reading

PAID = "SELECT order_id, status, amount, version FROM payments WHERE order_id = ANY (%s) ORDER BY order_id"
APPLIED = "SELECT count(*) AS n FROM payment_history WHERE order_id = ANY (%s)"


@pytest.mark.parametrize("put_back", [restore, restore_unnoticed], ids=["cut off", "unnoticed"])
def test_the_orders_of_after_the_backup_come_back_and_nobody_hears_of_them_again(
    put_back: object, shop: Shop, inbox: Inbox, payments: Store, system: dict[str, str], tmp_path: Path
) -> None:
    pay(shop, payments, [new_order()])
    backup = dump(payments, tmp_path / "payment.sql")
    orders = [new_order() for _ in range(50)]

    with reading(system, topics.PAYMENTS) as published:
        pay(shop, payments, orders)
        before = payments.rows(PAID, orders)
        published.wait_until(lambda events: {event.order_id for event in events} >= set(orders))
        events = {event.event_id for event in published.records}
        assert len(inbox.wait_for(customer(orders[-1]))) == 1

        put_back(payments, backup)  # type: ignore[operator]

        until(lambda: payments.rows(PAID, orders), lambda rows: rows == before)
        pay(shop, payments, [after := new_order()])
        published.wait_for(lambda event: event.order_id == after)
    assert payments.rows(APPLIED, orders) == [{"n": len(orders)}]
    assert {event.event_id for event in published.records if event.order_id in orders} == events
    inbox.wait_for(customer(after))
    assert [len(inbox.mails_to(customer(order))) for order in orders] == [1] * len(orders)


def pay(shop: Shop, payments: Store, orders: list[str]) -> None:
    for order in orders:
        assert shop.post("order", {"orderId": order, "customerEmail": customer(order)}).status == 200
        assert shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000}).status == 200
    payments.wait_for(PAID, orders, count=len(orders))


def customer(order: str) -> str:
    return f"{order.lower()}@example.test"
