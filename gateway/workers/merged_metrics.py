"""Merges the metrics of several workers: counters and histograms are added, gauges get a `worker` label. Pure.

The last known counters of an ended worker stay in the sum. Without them the sum would fall, which Prometheus takes for
a restart of the whole service.
"""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import Metric
from prometheus_client.registry import Collector

ADDED = ("counter", "histogram", "summary")
SUPERVISOR_GAUGES = frozenset(
    {
        "hookstream_build_info",
        "hookstream_ready",
        "hookstream_spool_refused",
        "hookstream_spooled_webhooks",
        "python_info",
    }
)
"""Gauges that only the supervisor exports. The spool's are among them because WORKERS above 1 excludes a spool."""
CREATED = "_created"


class Merged(Collector):
    """Collects `own`, the supervisor's metrics, merged with those of `workers`, by the workers' names."""

    def __init__(self, own: Iterable[Metric], workers: Mapping[str, Sequence[Metric]]) -> None:
        self._merged = merge(own, workers)

    def collect(self) -> Iterable[Metric]:
        return self._merged


def merge(own: Iterable[Metric], workers: Mapping[str, Sequence[Metric]]) -> list[Metric]:
    """Return the metrics of `own` and of `workers`, one for each name; `workers` is by the workers' names.

    SUPERVISOR_GAUGES come from `own` only.
    """
    merged: dict[str, Metric] = {}
    for metric in own:
        _add(merged, metric, {})
    for name, metrics in workers.items():
        for metric in metrics:
            if metric.name not in SUPERVISOR_GAUGES:
                _add(merged, metric, {} if metric.type in ADDED else {"worker": name})
    return list(merged.values())


def counters(metrics: Iterable[Metric]) -> list[Metric]:
    """Return the metrics of the types ADDED, which `merge` adds: they stay in the sum after their worker has ended."""
    return [metric for metric in metrics if metric.type in ADDED]


def _add(merged: dict[str, Metric], metric: Metric, extra_labels: Mapping[str, str]) -> None:
    into = merged.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
    indexes = {(sample.name, tuple(sorted(sample.labels.items()))): index for index, sample in enumerate(into.samples)}
    for sample in metric.samples:
        labels = {**sample.labels, **extra_labels}
        index = indexes.get((sample.name, tuple(sorted(labels.items()))))
        if index is None:
            into.add_sample(sample.name, labels, sample.value)
        else:
            before = into.samples[index]
            value = min(before.value, sample.value) if sample.name.endswith(CREATED) else before.value + sample.value
            into.samples[index] = before._replace(value=value)
