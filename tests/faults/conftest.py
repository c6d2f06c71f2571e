"""What the faults happen to: one system, and processes of its payment processor that the tests start themselves."""

from collections.abc import Iterator

import pytest

from stream.events import topics
from tests.replicas import Replica, Replicas, replicas_of

TOPICS = topics.service("payment").reads


@pytest.fixture(scope="module")
def processors(system: dict[str, str]) -> Iterator[Replicas]:
    """Payment processors, as many as a test starts."""
    with replicas_of(system, "payment", topics=len(TOPICS)) as replicas:
        yield replicas


@pytest.fixture
def spare(processors: Replicas) -> Iterator[Replica]:
    """One that has no fault and takes over what others leave: all of it, before and after a test."""
    yield processors.alone()
    processors.alone()
