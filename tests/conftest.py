"""What every test stands on: the real broker, database, mail server and services, started once.

`STACK=containers` takes Kafka and Postgres from testcontainers, `STACK=local` from this machine; when it is not said,
containers where a Docker engine answers and has the images, the machine otherwise. Nothing is skipped for want of them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from local import stack
from tests import containers
from tests.actors import Console, Inbox, Shop, Store

ROOT = Path(__file__).parent.parent

# How long something takes on a busy machine decides nothing.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_report_header() -> str:
    kind, why = chosen()
    return f"stack: {kind} ({why})"


def chosen() -> tuple[str, str]:
    """Which stack the tests run on, and why."""
    asked = os.environ.get("STACK")
    if asked in ("containers", "local"):
        return asked, "STACK says so"
    if asked:
        raise pytest.UsageError(f"STACK={asked}: it is containers or local")
    missing = containers.what_is_missing()
    return ("local", missing) if missing else ("containers", "a Docker engine answers and has the images")


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The whole system, with ports and data of its own: what `.run/env` says of it."""
    os.environ.setdefault("RETRY_FIRST_S", "0.02")
    kind, _ = chosen()
    data = tmp_path_factory.mktemp("system")
    if kind == "local":
        with stack.everything(ROOT, data) as env:
            yield env | {"RUN_FOLDER": str(data)}
    else:
        with containers.kafka_and_postgres() as given, stack.everything(ROOT, data, given=given) as env:
            yield env | {"RUN_FOLDER": str(data)}


@pytest.fixture
def shop(system: dict[str, str]) -> Shop:
    """Posts webhooks, signed with the shop's secret."""
    return Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"])


@pytest.fixture
def inbox(system: dict[str, str]) -> Inbox:
    """Where the mails arrive."""
    return Inbox(system["INBOX_URL"])


@pytest.fixture
def payments(system: dict[str, str]) -> Store:
    return Store(system["PAYMENT_DATABASE_URL"])


@pytest.fixture
def shipments(system: dict[str, str]) -> Store:
    return Store(system["SHIPPING_DATABASE_URL"])


@pytest.fixture
def refunds(system: dict[str, str]) -> Store:
    return Store(system["REFUND_DATABASE_URL"])


@pytest.fixture
def notifications(system: dict[str, str]) -> Store:
    return Store(system["NOTIFIER_DATABASE_URL"])


@pytest.fixture
def console(system: dict[str, str]) -> Console:
    """The webhook log, asked through its API."""
    return Console(system["CONSOLE_URL"], system["CONSOLE_TOKEN"])
