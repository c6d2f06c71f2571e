"""Metrics of several workers as one page: counters and histograms are added, gauges name their worker. Pure.

A worker that ended took its counters along. Its last known ones stay in the sum, or the sum would fall, which
Prometheus takes for a restart of the whole.
"""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.registry import Collector

ADDED = ("counter", "histogram", "summary")
OF_THE_WHOLE = frozenset(
    {
        "hookstream_build_info",
        "hookstream_ready",
        "hookstream_spool_refused",
        "hookstream_spooled_webhooks",
        "python_info",
    }
)
"""Gauges that the supervisor has itself; there is no spool where there are workers."""
CREATED = "_created"


class Merged(Collector):
    """The supervisor's own metrics and those of its workers, as one collection."""

    def __init__(self, own: Iterable[Metric], workers: Mapping[str, Sequence[Metric]]) -> None:
        self._merged = merge(own, workers)

    def collect(self) -> Iterable[Metric]:
        return self._merged


def merge(own: Iterable[Metric], workers: Mapping[str, Sequence[Metric]]) -> list[Metric]:
    """Add the workers' metrics, by their names, to `own`."""
    found: dict[str, Metric] = {}
    for metric in own:
        _add(found, metric, {})
    for name, metrics in workers.items():
        for metric in metrics:
            if metric.name not in OF_THE_WHOLE:
                _add(found, metric, {} if metric.type in ADDED else {"worker": name})
    return list(found.values())


def counters(metrics: Iterable[Metric]) -> list[Metric]:
    """Return the metrics whose values remain after the worker that counted them has ended."""
    return [metric for metric in metrics if metric.type in ADDED]


def _add(found: dict[str, Metric], metric: Metric, more: Mapping[str, str]) -> None:
    into = found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
    at = {(sample.name, tuple(sorted(sample.labels.items()))): place for place, sample in enumerate(into.samples)}
    for sample in metric.samples:
        labels = {**sample.labels, **more}
        place = at.get((sample.name, tuple(sorted(labels.items()))))
        if place is None:
            into.add_sample(sample.name, labels, sample.value)
        else:
            before = into.samples[place]
            value = min(before.value, sample.value) if sample.name.endswith(CREATED) else before.value + sample.value
            into.samples[place] = before._replace(value=value)
