"""Every provider, as it really posts: what it tells becomes rows and mails, once each."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from simulator.plan import Plan
from simulator.play import play
from simulator.stories import STORIES
from tests.actors import Store, new_order
from tests.processes import kill

pytestmark = pytest.mark.long

TOLD_HERE = sorted(STORIES)


@pytest.mark.parametrize("provider", TOLD_HERE)
def test_what_a_provider_tells_becomes_rows_and_mails_once_each(provider: str, system: dict[str, str]) -> None:
    plan = Plan(new_order().lower(), datetime.now(UTC), orders=3, duplicates=0.5, provider=provider)

    verdict = asyncio.run(play(system, plan))

    assert (verdict.lost, verdict.double, verdict.not_accepted, verdict.unknown) == ((), (), (), ()), str(verdict)


def test_a_confirmer_that_is_killed_while_it_asks_loses_nothing_and_confirms_nothing_twice(
    system: dict[str, str],
) -> None:
    plan = Plan(new_order().lower(), datetime.now(UTC), orders=60, rate=30, duplicates=0.3, provider="toss")
    verification_requests = Store(system["CONFIRMER_DATABASE_URL"])

    with ThreadPoolExecutor(1) as beside:
        playing = beside.submit(lambda: asyncio.run(play(system, plan)))
        for requested in (10, 30):
            like = f"pk_SIM-{plan.run}-%"
            verification_requests.wait_for(
                "SELECT 1 FROM verification_requests WHERE alias LIKE %s AND attempts > 0", like, count=requested
            )
            kill(system, "CONFIRMER")
        verdict = playing.result()

    assert (verdict.lost, verdict.double, verdict.not_accepted) == ((), (), ()), str(verdict)
    assert len(verdict.mails) == plan.orders
