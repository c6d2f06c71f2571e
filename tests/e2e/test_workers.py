"""A gateway of several workers is one gateway: one port, one page of metrics, one limit, one end."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.services import answers
from stream.events import topics
from tests.actors import new_order, until
from tests.gateways import Gateway, another_gateway
from tests.log import reading
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "a token of the tests, long enough"  # noqa: S105
POSTS = 40


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_listened(port: int) -> bool:
    inodes = [
        line.split()[3] for line in Path("/proc/net/tcp").read_text().splitlines() if f":{port:04X} " in line[:25]
    ]
    return "0A" in inodes  # LISTEN


def post_by_many(gateway: Gateway, orders: list[str]) -> list[int]:
    """Post a payment of each order, over as many connections, so that every worker gets some."""

    def pay(order: str) -> int:
        return gateway.shop.post("payment", {"orderId": order, "status": "completed"}).status

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(pay, orders))


def management(port: int, path: str, said: object = None) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        None if said is None else json.dumps(said).encode(),
        {"Authorization": f"Bearer {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def accepted(port: int) -> float:
    """How many webhooks all workers have accepted, by the metrics."""
    found = re.search(
        r'^hookstream_webhooks_accepted_total\{provider="generic"\} (\S+)', management(port, "/metrics"), re.MULTILINE
    )
    return float(found[1]) if found else 0.0


def test_workers_share_a_port_and_are_one_gateway_to_whoever_operates_it(system: dict[str, str]) -> None:
    port = free_port()
    settings = {"WORKERS": "2", "MANAGEMENT_PORT": str(port), "MANAGEMENT_TOKEN": TOKEN, "RATE_LIMIT": "off"}
    with reading(system, topics.PAYMENT_WEBHOOKS) as records, another_gateway(system, **settings) as gateway:
        until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), bool)
        assert len(workers_of(gateway.pid)) == 2

        orders = [new_order() for _ in range(POSTS)]
        assert set(post_by_many(gateway, orders)) == {200}
        records.wait_until(lambda read: {*orders} <= {record.payload.order_id for record in read})

        page = management(port, "/metrics")
        assert accepted(port) == POSTS
        assert re.search(r'hookstream_http_request_seconds_count\{path="/webhooks/payment"\} 40\.0', page)
        assert {'worker="1"', 'worker="2"'} <= set(re.findall(r'worker="\d"', page))
        assert json.loads(management(port, "/spool"))["configured"] is False
        place = {"topic": topics.QUARANTINE.name, "partition": 0, "offset": 2**40}
        (result,) = json.loads(management(port, "/quarantine/release", {"records": [place]}))["results"]
        assert (result["released"], result["cause"]) == (False, "gone")

        # One is killed: another takes its place, and what it had counted is not forgotten.
        first, *_ = before = workers_of(gateway.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: workers_of(gateway.pid), lambda now: len(now) == 2 and first not in now)
        until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), bool)
        assert set(workers_of(gateway.pid)) & set(before)
        assert set(post_by_many(gateway, [new_order() for _ in range(POSTS)])) == {200}
        until(lambda: accepted(port), lambda count: count == 2 * POSTS)


def test_a_limit_counts_what_all_workers_are_sent(system: dict[str, str]) -> None:
    with another_gateway(system, WORKERS="3", RATE_LIMIT="1/10") as gateway:
        statuses = post_by_many(gateway, [new_order() for _ in range(POSTS)])

    assert {200} < set(statuses) <= {200, 429}
    assert statuses.count(200) <= 10 + 3 + 5  # a race may let one more through, and seconds pass


def test_nothing_is_left_of_a_gateway_whose_supervisor_is_killed(system: dict[str, str]) -> None:
    with another_gateway(system, WORKERS="2") as gateway:
        workers = workers_of(gateway.pid)
        port = int(gateway.shop.url.rpartition(":")[2])
        until(lambda: is_listened(port), bool)

        os.kill(gateway.pid, signal.SIGKILL)

        until(lambda: [pid for pid in workers if Path(f"/proc/{pid}").exists()], lambda left: not left)
        assert not is_listened(port)


def test_a_signal_ends_all_of_it_cleanly(system: dict[str, str]) -> None:
    with another_gateway(system, WORKERS="2") as gateway:
        workers = workers_of(gateway.pid)

        os.kill(gateway.pid, signal.SIGTERM)

        until(lambda: [pid for pid in workers if Path(f"/proc/{pid}").exists()], lambda left: not left)
        assert "worker.ended" not in gateway.log.read_text()


def test_workers_and_a_spool_exclude_each_other(tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "WEBHOOK_SECRET": "a secret of the tests",
        "WORKERS": "2",
        "SPOOL_DIR": str(tmp_path),
    }
    refused = subprocess.run(
        [sys.executable, "-m", "gateway"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 78
    assert "cannot start: WORKERS above 1 and SPOOL_DIR exclude each other" in refused.stderr
