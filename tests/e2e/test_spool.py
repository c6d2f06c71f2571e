"""Kafka away, a spool at hand: webhooks are answered 2xx once on the disk, and come to Kafka in their order."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from local import stack
from tests.actors import Inbox, Reply, Shop, Store, new_order, until
from tests.disks import a_small_disk, empty, fill
from tests.gateways import another_gateway
from tests.processes import frozen, kill

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def spooling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A system of its own whose gateway has a spool."""
    data = tmp_path_factory.mktemp("spooling")
    os.environ["SPOOL_DIR"] = str(data / "spool")
    try:
        with stack.everything(ROOT, data) as env:
            yield env | {"RUN_FOLDER": str(data)}
    finally:
        del os.environ["SPOOL_DIR"]


def test_what_was_spooled_while_kafka_was_frozen_is_handled_once_even_across_a_killed_gateway(
    spooling: dict[str, str],
) -> None:
    sender = Shop(spooling["GATEWAY_URL"], spooling["WEBHOOK_SECRET"])
    payments, inbox = Store(spooling["PAYMENT_DATABASE_URL"]), Inbox(spooling["INBOX_URL"])
    orders = [new_order() for _ in range(20)]
    for order in orders:
        sender.post("order", {"orderId": order, "customerEmail": f"{order.lower()}@example.test"})

    with frozen(spooling, "KAFKA"):
        answers = [pay(sender, order) for order in orders[:10]]
        kill(spooling, "GATEWAY")
        until(lambda: is_up(sender), bool)
        answers += [pay(sender, order) for order in orders[10:]]
        started = readiness(sender)
        assert set(answers) == {200}
        assert payments.rows("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders) == []

    history = payments.wait_for("SELECT order_id FROM payment_history WHERE order_id = ANY (%s)", orders, count=20)
    assert sorted(row["order_id"] for row in history) == sorted(orders)
    mails = [len(inbox.wait_for(f"{order.lower()}@example.test")) for order in orders]
    assert mails == [1] * 20
    until(lambda: (Path(os.fspath(spooling["RUN_FOLDER"])) / "spool" / "spool.log").stat().st_size, lambda n: n == 0)
    assert "provider-states.v1 is not read" in str(started.body)
    until(lambda: readiness(sender).body, lambda body: body == {"problems": []})


def test_a_full_disk_costs_nothing_that_was_answered_2xx_and_readiness_tells_of_it(
    spooling: dict[str, str], tmp_path: Path
) -> None:
    payments = Store(spooling["PAYMENT_DATABASE_URL"])
    accepted: list[str] = []

    with a_small_disk(tmp_path / "disk") as disk, another_gateway(spooling, SPOOL_DIR=str(disk / "spool")) as gateway:
        sender, send = gateway.shop, partial(pay_and_note, accepted)
        fill(disk)
        until(
            lambda: readiness(sender),
            lambda published: refuses(published.body.get("warnings")) and published.status == 200,
        )
        assert send(sender) == 200  # Kafka takes it
        empty(disk)
        until(lambda: readiness(sender).body, lambda published: published == {"problems": []})
        with frozen(spooling, "KAFKA"):
            assert [send(sender) for _ in range(3)] == [200] * 3
            fill(disk)
            assert [send(sender) for _ in range(3)] == [503] * 3
            published = readiness(sender)
            empty(disk)
            assert send(sender) == 200
            assert readiness(sender).status == 200
            fill(disk)
        history = payments.wait_for(
            "SELECT order_id FROM payment_history WHERE order_id = ANY (%s)", accepted, count=len(accepted)
        )
        until(lambda: (disk / "spool" / "spool.log").stat().st_size, lambda size: size == 0)
        assert send(sender) == 200

    assert (published.status, refuses(published.body["problems"])) == (503, True)
    assert sorted(row["order_id"] for row in history) == sorted(accepted[: len(history)])


def pay_and_note(accepted: list[str], sender: Shop) -> int:
    """Longer than the rest of a page of the disk, which a full disk still has."""
    order = new_order()
    status = sender.post("payment", {"orderId": order, "status": "completed", "note": "x" * 20_000}).status
    accepted.extend([order] if status == 200 else [])
    return status


def readiness(sender: Shop) -> Reply:
    return sender.request("GET", "/health/ready", None, {})


def refuses(said: list[str] | None) -> bool:
    return bool(said) and "the spool's disk refuses writes" in str(said)


def pay(sender: Shop, order: str) -> int:
    return sender.post("payment", {"orderId": order, "status": "completed", "amount": 58000}).status


def is_up(sender: Shop) -> bool:
    try:
        return sender.request("GET", "/health/live", None, {}).status == 200
    except OSError:
        return False
