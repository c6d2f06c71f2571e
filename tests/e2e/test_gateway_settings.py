"""What a setting of the gateway changes for who posts: gateways beside the system's own, each set otherwise."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.services import answers
from stream import topics
from tests.actors import Reply, Shop, new_order, until
from tests.log import reading

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def another_gateway(system: dict[str, str], **variables: str) -> Iterator[tuple[Shop, Path]]:
    """A gateway beside the system's, on the same broker; the shop that posts there, and its log."""
    port = free_port()
    log = Path(system["RUN_FOLDER"], f"gateway-{port}.log")
    names = ("KAFKA_BOOTSTRAP_SERVERS", "WEBHOOK_SECRET", "MODE")
    given = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(port), "MANAGEMENT_PORT": "0"}
    env = {**{name: system[name] for name in names}, **given, **variables}
    with (
        log.open("w") as out,
        subprocess.Popen([sys.executable, "-m", "gateway"], cwd=ROOT, env=env, stderr=out) as process,
    ):
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/health/live"), bool)
            yield Shop(f"http://127.0.0.1:{port}", system["WEBHOOK_SECRET"]), log
        finally:
            process.terminate()


def paid(shop: Shop, **headers: str) -> Reply:
    return shop.post("payment", {"orderId": new_order(), "status": "completed"}, **headers)


def test_b83_too_many_are_told_when_to_come_again_whomever_they_say_they_are(system: dict[str, str]) -> None:
    with another_gateway(system, RATE_LIMIT="1/1") as (shop, _):
        replies = [paid(shop, X_Forwarded_For=f"10.0.0.{n}") for n in range(10)]
        waited = next(reply for reply in replies if reply.status == 429).headers["retry-after"]
        time.sleep(int(waited))
        after = paid(shop)

    assert replies[0].status == 200
    assert {reply.status for reply in replies} <= {200, 429}
    assert [reply.body["error"] for reply in replies if reply.status == 429].count("rate_limited") >= 7
    assert after.status == 200


def test_only_allowed_addresses_may_post_for_a_provider(system: dict[str, str]) -> None:
    with another_gateway(system, GENERIC_ALLOWED_IPS="10.9.9.9", SHOP_ALLOWED_IPS="10.9.9.9, 127.0.0.1") as (shop, _):
        generic = paid(shop, X_Forwarded_For="10.9.9.9")
        ours = shop.post("order", {"orderId": new_order(), "customerId": 1})

    assert (generic.status, generic.body["error"]) == (403, "source_not_allowed")
    assert ours.status == 200


def test_unsigned_webhooks_are_taken_where_that_is_said_and_marked_as_such(system: dict[str, str]) -> None:
    settings = {"WEBHOOK_SECRET": "", "WEBHOOK_ALLOW_UNSIGNED": "true"}
    with reading(system, topics.PAYMENT_WEBHOOKS) as records, another_gateway(system, **settings) as (shop, log):
        reply = paid(shop, X_Webhook_Signature="nonsense")
        record = records.wait_for(lambda record: record.envelope.raw)

    assert reply.status == 200
    assert record.envelope.verification == "unsigned_allowed"
    (warning,) = [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "gateway.unsigned"]
    assert warning["level"] == "warning"


def test_where_a_secret_is_set_allowing_unsigned_lets_no_forgery_in(system: dict[str, str]) -> None:
    with another_gateway(system, WEBHOOK_ALLOW_UNSIGNED="true", WEBHOOK_SECRET="new,old") as (shop, _):  # noqa: S106
        statuses = [paid(Shop(shop.url, secret)).status for secret in ("new", "old", "older")]

    assert statuses == [200, 200, 401]
