"""What programs and people get from the command line: JSON lists, whole ids at any width, live entries."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.actors import Console, Shop, new_order
from tests.failing import hookstream

ROOT = Path(__file__).parents[2]
LISTS = {
    "status": "services",
    "dead list": "events",
    "quarantine list": "webhooks",
    "refusals list": "refusals",
    "mail list": "mails",
    "topics list": "topics",
    "schemas list": "schemas",
    "verify --timeout 0": "claims",
}


@pytest.mark.parametrize("command", LISTS)
def test_whatever_lists_prints_one_shape_for_programs(command: str, system: dict[str, str]) -> None:
    printed = hookstream(system, *command.split(), "--json")

    answer = json.loads(printed.stdout)
    assert isinstance(answer[LISTS[command]], list)
    assert {"next", "note"} <= answer.keys()


def test_times_for_programs_have_their_offset(shop: Shop, console: Console, system: dict[str, str]) -> None:
    order = new_order()
    assert shop.post("payment", {"orderId": order, "status": "danced"}).status == 400
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 1}, X_Webhook_Signature="0" * 64)
    console.wait_for("/api/refusals", lambda page: page["refusals"], order=order)

    found = {
        command: list(times(json.loads(hookstream(system, *command.split(), "--json").stdout))) for command in LISTS
    }

    assert found["quarantine list"]
    assert found["refusals list"]
    for command, shown in found.items():
        assert all(datetime.fromisoformat(time).tzinfo for time in shown), (command, shown)


def times(value: Any) -> Iterator[str]:
    """The texts in a JSON value that are times by the names of their fields, such as `receivedAt`."""
    match value:
        case dict():
            for name, item in value.items():
                if name.endswith(("At", "_at", "since")) and isinstance(item, str):
                    yield item
                yield from times(item)
        case list():
            for item in value:
                yield from times(item)
        case _:
            return


def test_a_refused_webhook_is_listed_by_its_order_whatever_the_width(
    shop: Shop, console: Console, system: dict[str, str]
) -> None:
    order = f"2026/{new_order()}"
    for _ in range(2):
        shop.post("payment", {"orderId": order, "status": "completed", "amount": 1}, X_Webhook_Signature="0" * 64)
    console.wait_for("/api/refusals", lambda page: len(page["refusals"]) == 2, order=order)

    narrow = hookstream(
        system | {"COLUMNS": "40"}, "refusals", "list", "--order", order, "--cause", "invalid_signature"
    )
    first = json.loads(hookstream(system, "refusals", "list", "--order", order, "--limit", "1", "--json").stdout)
    second = json.loads(
        hookstream(system, "refusals", "list", "--order", order, "--cursor", first["next"], "--json").stdout
    )

    assert narrow.stdout.count(order) >= 2
    assert [row["orderIds"] for row in (*first["refusals"], *second["refusals"])] == [[order]] * 2
    assert second["next"] is None


def test_what_happens_is_printed_live_and_filtered(shop: Shop, system: dict[str, str]) -> None:
    order, other = new_order(), new_order()
    paid = {"status": "completed", "amount": 1000, "paymentMethod": "kim@example.test"}
    with tailing(system, "--order", order, "--last", "100") as entries:  # it may begin to read after the first post
        shop.post("payment", {"orderId": order, **paid}, X_Webhook_Signature="0" * 64)
        shop.post("payment", {"orderId": other, **paid})
        shop.post("payment", {"orderId": order, **paid})
        seen = dict[str, Any]()
        while not {"refused", "received", "processed", "published"} <= seen.keys():
            entry = next(entries)
            seen[entry["outcome"]] = entry

    assert {entry["provider"] for entry in seen.values()} == {"generic"}
    assert all(entry["orders"] == [order] for entry in seen.values())
    assert seen["refused"]["cause"] == "invalid_signature"

    again = hookstream(system, "tail", "--no-follow", "--last", "5", "--order", order, "--outcome", "refused")
    assert "invalid_signature" in again.stdout
    assert again.stdout.count(order) == 1


def test_a_topics_newest_records_are_printed_decoded_and_masked(shop: Shop, system: dict[str, str]) -> None:
    order = new_order()
    shop.post("payment", {"orderId": order, "status": "failed", "amount": 1, "email": "kim@example.test"})

    printed = hookstream(system, "topics", "tail", "webhooks.payment.v1", "--last", "50", "--json").stdout.splitlines()

    (record,) = [entry for line in printed if (entry := json.loads(line))["key"] == order]
    assert record["type"] == "PaymentWebhook"
    assert record["record"]["payload"]["order_id"] == order
    assert record["record"]["envelope"]["raw"]["email"] == "k***@example.test"


def test_a_schema_is_shown_and_a_slip_names_the_list(system: dict[str, str]) -> None:
    shown = json.loads(hookstream(system, "schemas", "show", "outcome", "--version", "1").stdout)
    slip = hookstream(system, "schemas", "show", "Nothing")

    assert shown["name"] == "Outcome"
    assert (slip.returncode, "schemas list" in slip.stderr) == (1, True)


def test_a_shell_completes_commands_and_services() -> None:
    def complete(*words: str) -> str:
        env = {
            "_HOOKSTREAM_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
        command = [str(Path(sys.executable).with_name("hookstream"))]
        return subprocess.run(command, env=os.environ | env, check=False, capture_output=True, text=True).stdout

    assert {"refusals", "replay", "retry"} <= set(complete("hookstream", "re").split())
    assert "payment" in complete("hookstream", "dead", "list", "--service", "pay")


@contextmanager
def tailing(system: Mapping[str, str], *options: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The entries of `hookstream tail` as they are printed."""
    command = [sys.executable, "-m", "cli", "tail", "--json", *options]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | system, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield (json.loads(line) for line in process.stdout)
        finally:
            process.terminate()
