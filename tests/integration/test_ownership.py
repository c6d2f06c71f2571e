"""A worker whose partition was taken over can commit nothing any more."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from runtime.postgres.engine import engine
from stream.kafka.group.assigned_partitions import AssignedPartitions
from stream.kafka.position import Owned
from stream.store import ownership
from stream.store.ownership import Fenced, Restored
from tests.actors import Shop, Store, new_order

EPOCHS_OF_A_LIFETIME = 1_000_000_000_000


@pytest.fixture
def store(system: dict[str, str]) -> Iterator[Engine]:
    database = engine(system["PAYMENT_DATABASE_URL"], service="tests")
    yield database
    database.dispose()


def test_the_holder_of_the_newest_epoch_may_write(store: Engine) -> None:
    partition = (new_order(), 0)

    with store.begin() as tx:
        epochs = ownership.acquire(tx, [partition], {})
    with store.begin() as tx:
        ownership.assert_held(tx, epochs)

    assert epochs == {partition: Owned(epoch=1, next_offset=0)}


def test_a_former_owner_is_fenced(store: Engine) -> None:
    partition, other = (new_order(), 0), (new_order(), 0)
    with store.begin() as tx:
        zombie = ownership.acquire(tx, [partition, other], {})
    with store.begin() as tx:
        ownership.acquire(tx, [partition], {})

    with pytest.raises(Fenced) as fenced, store.begin() as tx:
        ownership.assert_held(tx, zombie)

    assert fenced.value.partitions == {partition}


def test_a_takeover_waits_for_the_transaction_that_holds_the_epoch(store: Engine) -> None:
    partition = (new_order(), 0)
    with store.begin() as tx:
        epochs = ownership.acquire(tx, [partition], {})

    with store.begin() as holder:
        ownership.assert_held(holder, epochs)
        with pytest.raises(Exception, match="lock timeout"), store.begin() as taker:
            _take_impatiently(taker, partition)


def _take_impatiently(tx: Connection, partition: tuple[str, int]) -> None:
    tx.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
    ownership.acquire(tx, [partition], {})


def test_a_worker_that_finds_itself_fenced_asks_for_its_partitions_anew(
    shop: Shop, payments: Store, store: Engine
) -> None:
    with store.begin() as tx:
        tx.exec_driver_sql("UPDATE ownership SET epoch = epoch + 1 WHERE topic LIKE 'webhooks.%%'", {})
    order = new_order()

    shop.post("payment", {"orderId": order, "status": "completed"})

    assert payments.wait_for("SELECT version FROM payments WHERE order_id = %s", order) == [{"version": 1}]


def test_a_batch_moves_the_offset_that_its_owner_left_and_no_other(store: Engine) -> None:
    partition = (new_order(), 0)
    with store.begin() as tx:
        owned = ownership.acquire(tx, [partition], {partition: 7})
    with store.begin() as tx:
        ownership.advance(tx, owned, {partition: 10})

    with store.begin() as tx:
        assert ownership.acquire(tx, [partition], {partition: 99}) == {partition: Owned(epoch=2, next_offset=10)}
    with pytest.raises(Fenced), store.begin() as tx:
        ownership.advance(tx, {partition: Owned(epoch=1, next_offset=10)}, {partition: 11})


def test_a_batch_that_is_delivered_again_does_not_make_the_store_look_restored(store: Engine) -> None:
    partition = (new_order(), 0)
    with store.begin() as tx:
        former = ownership.acquire(tx, [partition], {})
        ownership.advance(tx, former, {partition: 100})
    member = AssignedPartitions()
    member.add([partition])
    with store.begin() as tx:
        member.own(ownership.acquire(tx, [partition], {partition: 50}))

    for end in (75, 90, 110):
        with store.begin() as tx:
            ownership.advance(tx, member.owned, {partition: end})
        member.advance({partition: end})
        with store.begin() as tx:
            acquired = ownership.acquire(tx, [partition], {})
            assert acquired[partition].next_offset == max(100, end)
            assert ownership.rewound(acquired, {partition: 100}) == {}, "the former owner had reached 100"
            tx.rollback()


def test_a_store_with_the_epoch_but_not_the_offset_of_its_owner_was_put_back(store: Engine) -> None:
    partition, other = (new_order(), 0), (new_order(), 0)
    with store.begin() as tx:
        owned = ownership.acquire(tx, [partition, other], {})
        ownership.advance(tx, owned, {partition: 10, other: 10})

    left = {partition: Owned(epoch=1, next_offset=50), other: Owned(epoch=1, next_offset=10)}
    for look in (ownership.check, ownership.assert_held):
        with pytest.raises(Restored) as restored, store.begin() as tx:
            look(tx, left)
        assert restored.value.partitions == {partition}
    with pytest.raises(Restored), store.begin() as tx:
        ownership.advance(tx, left, {partition: 60})


def test_a_store_behind_its_group_was_rewound_and_gives_out_no_epoch_again(store: Engine) -> None:
    behind, level = (new_order(), 0), (new_order(), 0)
    with store.begin() as tx:
        ownership.acquire(tx, [behind, level], {behind: 60, level: 60})
    reached = {behind: 100, level: 60}

    with store.begin() as tx:
        taken = ownership.acquire(tx, [behind, level], reached)
        assert ownership.rewound(taken, reached) == {behind: 100}
        rewound = ownership.rewind(tx, reached)
        tx.rollback()  # the partitions of the running service were rewound as well

    assert rewound[behind].epoch > EPOCHS_OF_A_LIFETIME
    assert rewound[behind][1:] == (60, 100)
    assert rewound[level][1:] == (60, 60)
    assert ownership.rewound({behind: rewound[behind]}, reached) == {}, "it is in the store by now"
