"""The whole way again, with schema ids from a registry instead of the committed file."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import stack
from tests.actors import Inbox, Shop, Store, new_order

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A system of its own, beside Apicurio."""
    with stack.everything(ROOT, tmp_path_factory.mktemp("registered"), registry=True) as env:
        yield env


def test_a_webhook_becomes_a_mail_by_the_registrys_schemas(registered: dict[str, str]) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop = Shop(registered["GATEWAY_URL"], registered["WEBHOOK_SECRET"])

    shop.post("order", {"orderId": order, "customerEmail": customer, "locale": "en"})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})

    (mail,) = Inbox(registered["INBOX_URL"]).wait_for(customer)
    assert mail["Subject"] == f"Order {order}: payment received"
    payments = Store(registered["PAYMENT_DATABASE_URL"])
    assert payments.rows("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]
    assert {"PaymentWebhook", "OrderWebhook", "PaymentCompleted"} <= set(subjects(registered))


def subjects(registered: dict[str, str]) -> list[str]:
    with urllib.request.urlopen(f"{registered['SCHEMA_REGISTRY_URL']}/subjects", timeout=10) as response:
        listed: list[str] = json.load(response)
        return listed
