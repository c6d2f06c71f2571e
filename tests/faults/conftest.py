"""Fixtures of the fault tests: replicas of the payment processor that the tests start, in place of the system's own."""

from collections.abc import Iterator

import pytest

from stream.events import topics
from tests.replicas import Replica, Replicas, replicas_of

TOPICS = topics.service("payment").reads


@pytest.fixture(scope="module")
def processors(system: dict[str, str]) -> Iterator[Replicas]:
    """The payment processors of one module; the system's own is suspended meanwhile."""
    with replicas_of(system, "payment", topics=len(TOPICS)) as replicas:
        yield replicas


@pytest.fixture
def spare(processors: Replicas) -> Iterator[Replica]:
    """A payment processor without a fault, which owns all partitions before and again after a test."""
    yield processors.alone()
    processors.alone()
