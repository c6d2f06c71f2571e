"""What a setting of the gateway changes for who posts: gateways beside the system's own, each set otherwise."""

import json
import time
from pathlib import Path

from stream import topics
from tests.actors import Reply, Shop, new_order
from tests.gateways import another_gateway
from tests.log import reading

ROOT = Path(__file__).parents[2]


def paid(shop: Shop, **headers: str) -> Reply:
    return shop.post("payment", {"orderId": new_order(), "status": "completed"}, **headers)


def test_b83_too_many_are_told_when_to_come_again_whomever_they_say_they_are(system: dict[str, str]) -> None:
    with another_gateway(system, RATE_LIMIT="1/1") as (shop, *_):
        replies = [paid(shop, X_Forwarded_For=f"10.0.0.{n}") for n in range(10)]
        waited = next(reply for reply in replies if reply.status == 429).headers["retry-after"]
        time.sleep(int(waited))
        after = paid(shop)

    assert replies[0].status == 200
    assert {reply.status for reply in replies} <= {200, 429}
    assert [reply.body["error"] for reply in replies if reply.status == 429].count("rate_limited") >= 7
    assert after.status == 200


def test_only_allowed_addresses_may_post_for_a_provider(system: dict[str, str]) -> None:
    with another_gateway(system, GENERIC_ALLOWED_IPS="10.9.9.9", SHOP_ALLOWED_IPS="10.9.9.9, 127.0.0.1") as (shop, *_):
        generic = paid(shop, X_Forwarded_For="10.9.9.9")
        ours = shop.post("order", {"orderId": new_order(), "customerId": 1})

    assert (generic.status, generic.body["error"]) == (403, "source_not_allowed")
    assert ours.status == 200


def test_unsigned_webhooks_are_taken_where_that_is_said_and_marked_as_such(system: dict[str, str]) -> None:
    settings = {"WEBHOOK_SECRET": "", "WEBHOOK_ALLOW_UNSIGNED": "true"}
    with reading(system, topics.PAYMENT_WEBHOOKS) as records, another_gateway(system, **settings) as (shop, log, _):
        reply = paid(shop, X_Webhook_Signature="nonsense")
        record = records.wait_for(lambda record: record.envelope.raw)

    assert reply.status == 200
    assert record.envelope.verification == "unsigned_allowed"
    (warning,) = [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "gateway.unsigned"]
    assert warning["level"] == "warning"


def test_where_a_secret_is_set_allowing_unsigned_lets_no_forgery_in(system: dict[str, str]) -> None:
    with another_gateway(system, WEBHOOK_ALLOW_UNSIGNED="true", WEBHOOK_SECRET="new,old") as (shop, *_):  # noqa: S106
        statuses = [paid(Shop(shop.url, secret)).status for secret in ("new", "old", "older")]

    assert statuses == [200, 200, 401]
