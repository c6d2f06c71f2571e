"""`hookstream doctor` finds what is wrong with each part, says what to do, and finds nothing in a good system."""

import json
import socket
from typing import Any

from tests.actors import Shop, Store, new_order
from tests.failing import hookstream

PARTS = {"brokers", "topics", "schemas", "databases", "services", "mail", "clocks", "secrets", "spool"}


def findings(system: dict[str, str]) -> tuple[int, list[dict[str, Any]]]:
    printed = hookstream(system, "doctor", "--json")
    return printed.returncode, json.loads(printed.stdout)["findings"]


def test_a_good_system_has_nothing_wrong(system: dict[str, str], shop: Shop) -> None:
    shop.post("payment", {"orderId": new_order(), "status": "completed", "amount": 1})

    code, found = findings(system)

    assert [finding for finding in found if finding["state"] == "wrong"] == []
    assert code == 0
    assert {finding["check"] for finding in found} == PARTS
    assert len([finding for finding in found if finding["check"] == "clocks" and finding["state"] == "ok"]) == 3
    assert system["WEBHOOK_SECRET"] not in str(found)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


AWAY = f"127.0.0.1:{closed_port()}"


WRONG = {
    "databases": ({"PAYMENT_DATABASE_URL": f"postgresql://payment:x@{AWAY}/payment"}, "Start Postgres"),
    "mail": ({"SMTP_URL": f"smtp://{AWAY}"}, "Start the mail server"),
    "services": ({"REFUND_MANAGEMENT_URL": f"http://{AWAY}"}, "Start it"),
    "secrets": ({"TOSS_WEBHOOK_SECRET": "short", "CONSOLE_TOKEN": "local-only-console-token"}, "openssl rand"),
    "topics": ({"TOPIC_REPLICATION": "3"}, "kafka-reassign-partitions.sh"),
    "schemas": ({"SCHEMA_REGISTRY_URL": f"http://{AWAY}"}, "Correct SCHEMA_REGISTRY_URL"),
}


def test_all_that_is_wrong_is_found_at_once_with_what_to_do(system: dict[str, str]) -> None:
    changed = {name: value for settings, _ in WRONG.values() for name, value in settings.items()}

    code, found = findings(system | changed | {"MODE": "live"})

    assert code == 1
    for check, (_, remedy) in WRONG.items():
        remedies = [str(one["remedy"]) for one in found if (one["check"], one["state"]) == (check, "wrong")]
        assert any(remedy in text for text in remedies), (check, found)
    named = {one["subject"] for one in found if (one["check"], one["state"]) == ("secrets", "wrong")}
    assert named == {"TOSS_WEBHOOK_SECRET", "CONSOLE_TOKEN"}


def test_brokers_that_are_away_hide_nothing_else(system: dict[str, str]) -> None:
    code, found = findings(system | {"KAFKA_BOOTSTRAP_SERVERS": AWAY})

    (wrong,) = [finding for finding in found if finding["state"] == "wrong"]
    assert (code, wrong["check"]) == (1, "brokers")
    assert "KAFKA_BOOTSTRAP_SERVERS" in wrong["remedy"]
    assert PARTS - {"topics"} <= {finding["check"] for finding in found}


def test_a_missing_migration_is_named(system: dict[str, str]) -> None:
    store = Store(system["SHIPPING_DATABASE_URL"])
    (newest,) = store.rows("DELETE FROM alembic_version WHERE version_num LIKE 'shipping%%' RETURNING version_num")
    try:
        code, found = findings(system)
    finally:
        store.rows("INSERT INTO alembic_version (version_num) VALUES (%s) RETURNING 1", newest["version_num"])

    (wrong,) = [finding for finding in found if finding["state"] == "wrong"]
    assert (code, wrong["subject"]) == (1, "shipping")
    assert newest["version_num"] in wrong["found"]
    assert wrong["remedy"] == "Run `hookstream migrate shipping`."
