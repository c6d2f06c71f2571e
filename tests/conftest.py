"""What every test stands on: the real broker, database, mail server and services, started once.

`STACK=containers` takes Kafka and Postgres from testcontainers, `STACK=local` from this machine; when it is not said,
containers where a Docker engine answers and has the images, the machine otherwise. Nothing is skipped for want of them.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.actors import Console, Inbox, Shop, Store
from tests.systems import a_system, chosen

# How long something takes on a busy machine decides nothing.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_report_header() -> str:
    kind, why = chosen()
    return f"stack: {kind} ({why})"


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The whole system, with ports and data of its own: what `.run/env` says of it."""
    with a_system(tmp_path_factory.mktemp("system")) as env:
        yield env


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
