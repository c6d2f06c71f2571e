"""What a setting of the gateway changes for who posts: gateways beside the system's own, each set otherwise."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stream.events import topics
from tests.actors import Reply, Shop, new_order
from tests.gateways import another_gateway
from tests.log import reading

ROOT = Path(__file__).parents[2]
JSON = {"Content-Type": "application/json"}


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


def test_garbage_uses_up_what_its_own_source_may_send_and_nothing_of_anybody_else(system: dict[str, str]) -> None:
    with another_gateway(system, RATE_LIMIT="1/5", TRUSTED_PROXIES="127.0.0.0/8") as (shop, *_):
        forger = Shop(shop.url, "not the shop's secret")
        one_source = [paid(forger, X_Forwarded_For="198.51.100.1").status for _ in range(20)]
        many_sources = [paid(forger, X_Forwarded_For=f"198.51.100.{n}").status for n in range(2, 42)]
        nonsense = [
            shop.request("GET", "/nothing", None, {"X-Forwarded-For": "198.51.100.50"}).status for _ in range(20)
        ]
        genuine = [paid(shop, X_Forwarded_For=f"203.0.113.{n % 2}").status for n in range(5)]

    assert (set(one_source[:5]), one_source[-1]) == ({401}, 429)
    assert set(many_sources) == {401}
    assert (set(nonsense[:5]), nonsense[-1]) == ({404}, 429)
    assert genuine == [200] * 5


def test_a_provider_may_post_no_more_from_many_addresses_than_from_one_and_takes_nothing_from_others(
    system: dict[str, str],
) -> None:
    with another_gateway(system, RATE_LIMIT="1/5", TRUSTED_PROXIES="127.0.0.1") as (shop, *_):
        with ThreadPoolExecutor(20) as senders:
            replies = list(senders.map(lambda n: paid(shop, X_Forwarded_For=f"203.0.113.{n}"), range(20)))
        other = shop.post("order", {"orderId": new_order(), "customerId": 1}, X_Forwarded_For="203.0.113.99")

    refused = [reply for reply in replies if reply.status == 429]
    assert [reply.status for reply in replies].count(200) >= 5
    assert int(refused[0].headers["retry-after"]) >= 1
    assert other.status == 200


def test_a_body_without_a_signature_has_at_most_64_kib(system: dict[str, str]) -> None:
    with another_gateway(system, TOSS_ACTIVE="true", TOSSPAYMENTS_WEBHOOK_SECRET="") as (shop, *_):
        replies = {
            (path, size): shop.request("POST", f"/api/webhooks/{path}", b'{"a":"' + b"x" * (size - 8) + b'"}', JSON)
            for path in ("toss", "tosspayments")
            for size in (65_536, 65_537)
        }

    assert [replies["toss", size].status for size in (65_536, 65_537)] == [200, 413]
    assert [replies["tosspayments", size].status for size in (65_536, 65_537)] == [200, 413]


def test_networks_may_be_allowed_and_a_trusted_proxy_is_believed(system: dict[str, str]) -> None:
    settings = {"GENERIC_ALLOWED_IPS": "203.0.113.0/24, 2001:db8::/32", "TRUSTED_PROXIES": "127.0.0.1"}
    with another_gateway(system, **settings) as (shop, *_):
        allowed = [
            paid(shop, X_Forwarded_For="203.0.113.77"),
            paid(shop, X_Forwarded_For="[2001:db8::1]:4711"),
            paid(shop, Forwarded='for="203.0.113.1:80";proto=https'),
        ]
        refused = [
            paid(shop),
            paid(shop, X_Forwarded_For="203.0.113.77, 198.51.100.1"),
            paid(shop, X_Forwarded_For="198.51.100.1", Forwarded="for=203.0.113.1"),
        ]

    assert [reply.status for reply in allowed] == [200] * 3
    assert [reply.status for reply in refused] == [403] * 3


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
    live = ("the new secret 16", "the old secret 16")
    with another_gateway(system, WEBHOOK_ALLOW_UNSIGNED="true", WEBHOOK_SECRET=",".join(live)) as (shop, *_):
        statuses = [paid(Shop(shop.url, secret)).status for secret in (*live, "the one before them")]

    assert statuses == [200, 200, 401]
