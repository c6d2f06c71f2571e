"""What hangs is told of and waited for: a frozen Postgres, and whatever is not there yet when a service starts.

On a system of its own, since its Postgres is frozen.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local import services, stack
from local.services import LocalService
from tests.actors import until
from tests.failing import hookstream
from tests.ports import free_port
from tests.processes import living
from tests.proxy import proxy
from tests.replicas import Replica, Replicas

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
STORED = [service for service in services.SERVICES if service.store]
TOLD_IN_S = 10.0
STATUS_IN_S = 5.0
SLACK_S = float(os.environ.get("SLACK_S", "5"))  # of a machine that runs other things as well
COMES_S = 90.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    data = tmp_path_factory.mktemp("waiting")
    with stack.everything(ROOT, data) as env:
        yield env | {"RUN_FOLDER": str(data)}


@contextmanager
def stopped(own: dict[str, str]) -> Iterator[None]:
    """Its first process is frozen: connections that were made go on, new ones hang."""
    process = living(own, "POSTGRES")
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_frozen_postgres_makes_its_services_not_ready_and_is_named_in_their_logs(own: dict[str, str]) -> None:
    until(lambda: unready(own), lambda names: not names, COMES_S)

    with stopped(own):
        began = time.monotonic()
        until(lambda: unready(own), lambda names: len(names) == len(STORED), TOLD_IN_S + SLACK_S)
        print(f"all not ready after {time.monotonic() - began:.1f} s")  # noqa: T201
        for service in STORED:
            until(lambda name=service.name: said(own, name, "store.silent"), bool, TOLD_IN_S)  # type: ignore[misc]
            (line, *_) = said(own, service.name, "store.silent")
            assert line["service"] == service.name
            address = urlsplit(own[service.variable("DATABASE_URL")])
            assert line["store"] == f"{address.hostname}:{address.port}{address.path}"

    until(lambda: unready(own), lambda names: not names, COMES_S)


def test_status_answers_soon_whatever_hangs_and_what_it_does_not_know_is_an_error(own: dict[str, str]) -> None:
    until(lambda: unready(own), lambda names: not names, COMES_S)
    until(lambda: hookstream(own, "status"), lambda done: done.returncode == 0, COMES_S)

    for name in ("POSTGRES", "KAFKA", "PAYMENT"):
        process = living(own, name)
        os.kill(process, signal.SIGSTOP)
        try:
            began = time.monotonic()
            done = hookstream(own, "status")
            waited = time.monotonic() - began
        finally:
            os.kill(process, signal.SIGCONT)
        print(f"{name} frozen: status after {waited:.1f} s")  # noqa: T201
        assert waited < STATUS_IN_S + SLACK_S
        assert done.returncode == 1, done.stdout
        assert "?" in done.stdout or "down" in done.stdout


def test_services_that_start_before_kafka_and_postgres_wait_and_work_when_they_come(own: dict[str, str]) -> None:
    kafka = urlsplit(f"//{own['KAFKA_BOOTSTRAP_SERVERS']}")
    postgres = urlsplit(own["PAYMENT_DATABASE_URL"])
    with ExitStack() as standing:
        to_kafka = standing.enter_context(proxy(kafka.hostname or "", kafka.port or 0))
        to_postgres = standing.enter_context(proxy(postgres.hostname or "", postgres.port or 0))
        to_kafka.refuse()
        to_postgres.refuse()
        early = {
            service.name: start(own, service, standing, to_kafka.port, to_postgres.port)
            for service in services.SERVICES
        }
        for name, replica in early.items():
            (line, *_) = until(lambda r=replica: r.lines("start.waiting"), bool, COMES_S)  # type: ignore[misc]
            assert f"127.0.0.1:{to_kafka.port}" in line["cause"], name
            assert any("waits for Kafka" in problem for problem in replica.problems()), name

        to_kafka.open()
        for service in STORED:
            replica = early[service.name]
            until(lambda r=replica: any("waits for the store" in one for one in r.problems()), bool, COMES_S)  # type: ignore[misc]
        to_postgres.open()

        for name, replica in early.items():
            assert until(replica.is_ready, bool, COMES_S), name


def test_a_password_that_is_refused_ends_the_start_with_a_sentence(own: dict[str, str]) -> None:
    (payment,) = (service for service in STORED if service.name == "payment")
    url = urlsplit(own["PAYMENT_DATABASE_URL"])
    wrong = url._replace(netloc=f"payment:wrong@{url.hostname}:{url.port}").geturl()

    replica = Replicas(own, payment, 2).start(DATABASE_URL=wrong)

    assert replica.process.wait(COMES_S) == 1
    assert "refuses its credentials" in replica.log.read_text()
    assert "wrong" not in replica.log.read_text()


def start(own: dict[str, str], service: LocalService, standing: ExitStack, kafka: int, postgres: int) -> Replica:
    variables = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}"}
    if service.store:
        url = urlsplit(own[service.variable("DATABASE_URL")])
        there = f"{url.username}:{url.password}@127.0.0.1:{postgres}"
        variables["DATABASE_URL"] = url._replace(netloc=there).geturl()
    if service.listens:
        variables["PORT"] = str(free_port())
    replicas = Replicas(own, service, 0)
    standing.callback(replicas.end)
    return replicas.start(**variables)


def unready(own: dict[str, str]) -> list[str]:
    """The services with a store that are not ready."""
    return [service.name for service in STORED if not services.is_ready(service, own)]


def said(own: dict[str, str], name: str, event: str) -> list[dict[str, str]]:
    log = Path(own["RUN_FOLDER"], "log", f"{name}.log").read_text(errors="replace")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == event]
