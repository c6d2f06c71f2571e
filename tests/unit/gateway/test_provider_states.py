"""The latest decision about a provider counts, in whatever order this process learns of decisions."""

from itertools import permutations

import pytest

from gateway.http import openapi
from gateway.intake.provider_states import ProviderStates
from gateway.management.api import ManagementApi
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import Micros, ProviderPhase, ProviderState, SecretSeen

SETTING = "TOSS_SECRET_KEY"  # the name of a setting


def a_state(phase: ProviderPhase, at: int, provider: str = "toss") -> ProviderState:
    return ProviderState(
        provider=provider, state=phase, reason="a bad deploy", by="kim", since=Micros(1), at=Micros(at)
    )


def states(*records: ProviderState | SecretSeen) -> ProviderStates:
    found = ProviderStates(Codec(CommittedRegistry()))
    for record in records:
        found.apply(record)
    return found


@pytest.mark.parametrize(
    ("phase", "is_paused"), [("paused", True), ("draining", True), ("finishing", False), ("active", False)]
)
def test_webhooks_are_quarantined_until_the_backlog_is_released(phase: ProviderPhase, is_paused: bool) -> None:
    found = states(a_state(phase, 1))

    assert found.is_paused("toss") == is_paused
    assert not found.is_paused("stripe")
    assert bool(found.warning()) == is_paused


PHASES: list[tuple[ProviderPhase, int]] = [("paused", 1), ("draining", 2), ("finishing", 3), ("active", 4)]


@pytest.mark.parametrize("order", list(permutations(PHASES)))
def test_the_latest_decision_counts(order: tuple[tuple[ProviderPhase, int], ...]) -> None:
    assert states(*(a_state(phase, at) for phase, at in order)).state("toss") == a_state("active", 4)


def test_a_secret_is_as_old_as_its_first_use() -> None:
    seen = [SecretSeen(secret_setting=SETTING, fingerprint="ab", at=Micros(at)) for at in (5, 3, 4)]

    assert states(*seen).first_seen(SETTING, "ab") == 3
    assert states(*seen).first_seen(SETTING, "cd") is None


def test_only_unfinished_resumptions_are_continued() -> None:
    found = states(a_state("draining", 1, "a"), a_state("finishing", 1, "b"), a_state("active", 1, "c"))

    assert sorted(state.provider for state in found.resuming()) == ["a", "b"]


def test_workers_execute_every_route_of_the_management_api() -> None:
    without_parts = ManagementApi.__new__(ManagementApi)  # the routes need them only when they are called

    assert set(without_parts.routes()) == set(openapi.OPERATIONS)
