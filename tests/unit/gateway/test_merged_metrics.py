"""One page of several workers' metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest

from gateway.workers.merged_metrics import Merged, counters, merge


def worker(accepted: float, seconds: float, threads: float) -> list[Metric]:
    """What one worker has counted."""
    registry = CollectorRegistry()
    Counter("accepted", "Webhooks", ["provider"], registry=registry).labels("toss").inc(accepted)
    Histogram("seconds", "Each", buckets=(1, 5), registry=registry).observe(seconds)
    Gauge("threads", "Now", registry=registry).set(threads)
    Gauge("hookstream_ready", "Ready", registry=registry).set(1)
    return [*registry.collect()]


def values(metrics: list[Metric]) -> dict[str, float]:
    return {
        f"{sample.name}{sorted(sample.labels.items()) or ''}": sample.value
        for metric in metrics
        for sample in metric.samples
    }


def test_counters_and_histograms_are_added_and_gauges_say_whose_they_are() -> None:
    found = values(merge([], {"1": worker(2, 0.5, 7), "2": worker(3, 4, 8)}))

    assert found["accepted_total[('provider', 'toss')]"] == 5
    assert found["seconds_count"] == 2
    assert found["seconds_sum"] == 4.5
    assert found["seconds_bucket[('le', '1.0')]"] == 1
    assert found["seconds_bucket[('le', '+Inf')]"] == 2
    assert found["threads[('worker', '1')]"] == 7
    assert found["threads[('worker', '2')]"] == 8


def test_what_describes_the_whole_is_the_supervisors_alone() -> None:
    own = CollectorRegistry()
    Gauge("hookstream_ready", "Ready", registry=own).set(0)

    found = values(merge(own.collect(), {"1": worker(1, 1, 1)}))

    assert found["hookstream_ready"] == 0
    assert not [name for name in found if name.startswith("hookstream_ready[")]


def test_a_worker_that_ended_leaves_its_counters_and_nothing_else() -> None:
    left = counters(merge([], {"1": counters(worker(2, 0.5, 7))}))

    found = values(merge([], {"ended": left, "1": worker(1, 4, 9)}))

    assert found["accepted_total[('provider', 'toss')]"] == 3
    assert found["seconds_sum"] == 4.5
    assert [name for name in found if name.startswith("threads")] == ["threads[('worker', '1')]"]


def test_a_page_is_what_prometheus_reads() -> None:
    page = generate_latest(Merged([], {"1": worker(2, 0.5, 7), "2": worker(3, 4, 8)})).decode()

    assert '\naccepted_total{provider="toss"} 5.0\n' in page
    assert page.count("# TYPE accepted_total counter") == 1
