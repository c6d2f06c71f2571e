"""A worker whose partition was taken over can commit nothing any more."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from runtime.engine import engine
from stream import ownership
from stream.ownership import Fenced, Owned
from tests.actors import Shop, Store, new_order


@pytest.fixture
def store(system: dict[str, str]) -> Iterator[Engine]:
    database = engine(system["PAYMENT_DATABASE_URL"], service="tests")
    yield database
    database.dispose()


def test_the_holder_of_the_newest_epoch_may_write(store: Engine) -> None:
    partition = (new_order(), 0)

    with store.begin() as tx:
        epochs = ownership.take(tx, [partition], {})
    with store.begin() as tx:
        ownership.hold(tx, epochs)

    assert epochs == {partition: Owned(epoch=1, next_offset=0)}


def test_a_former_owner_is_fenced(store: Engine) -> None:
    partition, other = (new_order(), 0), (new_order(), 0)
    with store.begin() as tx:
        zombie = ownership.take(tx, [partition, other], {})
    with store.begin() as tx:
        ownership.take(tx, [partition], {})

    with pytest.raises(Fenced) as fenced, store.begin() as tx:
        ownership.hold(tx, zombie)

    assert fenced.value.partitions == {partition}


def test_a_takeover_waits_for_the_transaction_that_holds_the_epoch(store: Engine) -> None:
    partition = (new_order(), 0)
    with store.begin() as tx:
        epochs = ownership.take(tx, [partition], {})

    with store.begin() as holder:
        ownership.hold(holder, epochs)
        with pytest.raises(Exception, match="lock timeout"), store.begin() as taker:
            _take_impatiently(taker, partition)


def _take_impatiently(tx: Connection, partition: tuple[str, int]) -> None:
    tx.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
    ownership.take(tx, [partition], {})


def test_a_worker_that_finds_itself_fenced_asks_for_its_partitions_anew(
    shop: Shop, payments: Store, store: Engine
) -> None:
    with store.begin() as tx:
        tx.exec_driver_sql("UPDATE ownership SET epoch = epoch + 1 WHERE topic LIKE 'webhooks.%%'", {})
    order = new_order()

    shop.post("payment", {"orderId": order, "status": "completed"})

    assert payments.wait_for("SELECT version FROM payments WHERE order_id = %s", order) == [{"version": 1}]
