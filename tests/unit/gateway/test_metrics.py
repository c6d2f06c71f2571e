"""The gateway's own counters and histograms: to Prometheus they are what the library's are."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from gateway.metrics import Counts, Durations

BUCKETS = (0.001, 0.5, 1, 2.5)


class Page(Collector):
    """One collector's metrics as a registry's."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterable[Metric]:
        return self._collector.collect()


def page(collector: Collector) -> list[str]:
    """Its lines as Prometheus reads them, but for the times at which the library's were made."""
    REGISTRY.unregister(collector)
    return lines(Page(collector))


def lines(collector: Collector | CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(collector).decode().splitlines() if "_created" not in line]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 5) | st.sampled_from(BUCKETS)), max_size=20))
def test_durations_are_a_histogram(observed: list[tuple[str, float]]) -> None:
    registry = CollectorRegistry()
    theirs = Histogram("seconds", "Each", ["path"], buckets=BUCKETS, registry=registry)
    ours = Durations("seconds", "Each", BUCKETS, ["path"])

    for path, seconds in observed:
        ours.observe(seconds, path)
        theirs.labels(path).observe(seconds)

    assert page(ours) == lines(registry)


def test_durations_without_a_label_are_there_before_any_is_observed() -> None:
    registry = CollectorRegistry()
    Histogram("seconds", "Each", buckets=BUCKETS, registry=registry)

    assert page(Durations("seconds", "Each", BUCKETS)) == lines(registry)


def test_counts_are_a_counter() -> None:
    registry = CollectorRegistry()
    Counter("requests_total", "All", ["path", "status"], registry=registry).labels("/a", "200").inc(3)
    ours = Counts("requests_total", "All", ["path", "status"])

    ours.counts["/a", "200"] += 3

    assert page(ours) == lines(registry)
