"""Each service is killed in turn while orders go through: nothing is lost and nothing is done twice."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from local import stack
from simulator.plan import Plan
from simulator.play import play
from simulator.verdict import Verdict
from tests.actors import new_order
from tests.processes import kill

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
KILLED = ("GATEWAY", "PAYMENT", "SHIPPING", "REFUND", "NOTIFIER", "POSTGRES", "KAFKA")


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A system of its own, since its broker and database are killed too."""
    data = tmp_path_factory.mktemp("fragile")
    with stack.everything(ROOT, data) as env:
        yield env | {"RUN_FOLDER": str(data)}


def test_killing_every_service_in_turn_loses_nothing_and_does_nothing_twice(fragile: dict[str, str]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    plan = Plan(new_order().lower(), now, orders=120, rate=12, duplicates=0.2, disorder=True)
    verdicts: list[Verdict] = []
    sending = Thread(target=lambda: verdicts.append(asyncio.run(play(fragile, plan))))

    sending.start()
    for service in KILLED:
        kill(fragile, service)
    sending.join()

    (verdict,) = verdicts
    assert (verdict.lost, verdict.double, verdict.not_accepted) == ((), (), ()), str(verdict)
    assert verdict.sent == 4 * plan.orders
    assert len(verdict.mails) + len(verdict.unknown) == 3 * plan.orders
