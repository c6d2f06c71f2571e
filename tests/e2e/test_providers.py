"""Every provider, as it really posts: what it tells becomes rows and mails, once each."""

import asyncio
from datetime import UTC, datetime

import pytest

from providers import catalogue
from simulator.plan import Plan
from simulator.play import play
from simulator.stories import STORIES
from tests.actors import new_order

TOLD_HERE = sorted(STORIES.keys() & {row.name for row in catalogue.PROVIDERS})


@pytest.mark.parametrize("provider", TOLD_HERE)
def test_what_a_provider_tells_becomes_rows_and_mails_once_each(provider: str, system: dict[str, str]) -> None:
    plan = Plan(new_order().lower(), datetime.now(UTC), orders=3, duplicates=0.5, provider=provider)

    verdict = asyncio.run(play(system, plan))

    assert (verdict.lost, verdict.double, verdict.not_accepted, verdict.unknown) == ((), (), (), ()), str(verdict)
