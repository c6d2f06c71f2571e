"""Fixtures of all tests: the real broker, database, mail server and services, started once.

`STACK=containers` takes Kafka and Postgres from testcontainers, `STACK=local` from this machine. Without STACK, they
come from containers if a Docker engine answers and has the images, else from the machine. No test is skipped for lack
of either.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.actors import Console, Inbox, Shop, Store
from tests.systems import a_system, chosen

# No test fails because the machine is busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_report_header() -> str:
    kind, why = chosen()
    return f"stack: {kind} ({why})"


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The whole system, with ports and data of its own: the variables of its environment file, and RUN_FOLDER."""
    with a_system(tmp_path_factory.mktemp("system")) as env:
        yield env


@pytest.fixture
def shop(system: dict[str, str]) -> Shop:
    """Posts webhooks, signed with the shop's secret."""
    return Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"])


@pytest.fixture
def inbox(system: dict[str, str]) -> Inbox:
    """The inbox in which the system's mails arrive."""
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
    """The API of the system's console."""
    return Console(system["CONSOLE_URL"], system["CONSOLE_TOKEN"])
