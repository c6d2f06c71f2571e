"""What Prometheus is given, and what the log says: of every service, and true."""

import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psycopg
from prometheus_client.parser import text_string_to_metric_families

import runtime
from local.services import SERVICES
from stream.events import topics
from stream.events.topics import PARTITIONS
from tests.actors import Shop, Store, new_order, until

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(system: Mapping[str, str], service: str) -> Samples:
    """Return the samples of a service's `/metrics`, by name and sorted labels."""
    verification_request = urllib.request.Request(
        f"{system[f'{service.upper()}_MANAGEMENT_URL']}/metrics",
        headers={"Authorization": f"Bearer {system['MANAGEMENT_TOKEN']}"},
    )
    with urllib.request.urlopen(verification_request, timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


def test_every_service_says_what_it_is_and_whether_it_is_ready(system: dict[str, str]) -> None:
    for service in SERVICES:
        samples = scraped(system, service.name)
        builds = [dict(labels) for name, labels in samples if name == "hookstream_build_info"]

        assert [build["version"] for build in builds] == [runtime.__version__], service.name
        assert of(samples, "hookstream_ready") == 1, service.name


def test_requests_are_counted_by_path_and_status_and_an_unknown_path_by_no_name_of_its_own(
    system: dict[str, str], shop: Shop
) -> None:
    # Given what the gateway has counted so far
    before = scraped(system, "gateway")

    # When it is sent one good webhook, one forged, and one to a path that nobody serves
    shop.post("payment", {"orderId": new_order(), "status": "completed", "amount": 1000})
    shop.post_bytes("/webhooks/payment", b"{}", X_Webhook_Signature="00")
    shop.post_bytes("/nowhere/at/all", b"{}")

    # Then each is counted once, and timed where the gateway served it
    after = scraped(system, "gateway")

    def more(name: str, **labels: str) -> float:
        return of(after, name, **labels) - of(before, name, **labels)

    assert more("hookstream_http_requests_total", path="/webhooks/payment", status="200") == 1
    assert more("hookstream_http_requests_total", path="/webhooks/payment", status="401") == 1
    assert more("hookstream_http_requests_total", path="other", status="404") == 1
    assert more("hookstream_http_request_seconds_count", path="/webhooks/payment") == 2
    assert not [labels for _, labels in after if "nowhere" in str(labels)]


def test_every_log_line_names_its_service_and_a_webhooks_lines_its_order_and_provider(
    system: dict[str, str], shop: Shop, payments: Store
) -> None:
    # Given a payment that was applied
    order = new_order()
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 1000})
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)

    # When the logs are read
    def lines(service: str) -> list[dict[str, object]]:
        text = (Path(system["RUN_FOLDER"]) / "log" / f"{service}.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def of_order() -> dict[str, dict[str, object]]:
        both = [*lines("gateway"), *lines("payment")]
        return {str(line["event"]): line for line in both if line.get("order_id") == order}

    # Then the webhook's lines can be found by its order, in both services
    found = until(of_order, lambda seen: {"webhook.received", "webhook.processed"} <= seen.keys())
    assert {line["provider"] for line in (found["webhook.received"], found["webhook.processed"])} == {"generic"}

    # And no line of any service leaves out whose it is, whatever thread wrote it
    for service in SERVICES:
        assert {line.get("service") for line in lines(service.name)} <= {service.name}, service.name


def test_what_a_worker_cannot_process_shows_as_lag_and_ages_until_it_is_processed(
    system: dict[str, str], shop: Shop, payments: Store
) -> None:
    topic, order = "webhooks.payment.v1", new_order()

    def metric(name: str, **labels: str) -> float:
        return of(scraped(system, "payment"), name, **labels)

    # Given a payment store whose inbox somebody keeps locked
    with psycopg.connect(payments.url) as lock:
        lock.execute("SET idle_in_transaction_session_timeout = 0")
        lock.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")

        # When a payment comes
        shop.post("payment", {"orderId": order, "status": "completed", "amount": 1000})

        # Then it counts as not processed, and the oldest such record ages
        until(lambda: metric("hookstream_lag_records", topic=topic), lambda lag: lag >= 1)
        aged = metric("hookstream_event_age_seconds", topic=topic)
        until(lambda: metric("hookstream_event_age_seconds", topic=topic), lambda age: age > aged > 0)
        until(lambda: metric("hookstream_ready"), lambda ready: ready == 0)

    # And once the store answers again, nothing is left of it
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    until(lambda: metric("hookstream_lag_records", topic=topic), lambda lag: lag == 0)
    until(lambda: metric("hookstream_event_age_seconds", topic=topic), lambda age: age == 0)
    owned = PARTITIONS * len(topics.service("payment").reads)
    until(lambda: metric("hookstream_partitions_owned"), lambda count: count == owned)
    assert metric("hookstream_outbox_messages") == 0
