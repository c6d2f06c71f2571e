"""The metrics of every service."""

import platform

from prometheus_client import Gauge

import runtime
from runtime.health import Health

BUILD = Gauge("hookstream_build_info", "Always 1; the labels say what runs", ["version", "python"])
READY = Gauge("hookstream_ready", "1 while `/health/ready` would answer 200, else 0")


def watch(health: Health) -> None:
    """Set BUILD now, and READY at each scrape from `health`."""
    BUILD.labels(runtime.__version__, platform.python_version()).set(1)
    READY.set_function(lambda: 0 if health.problems() else 1)
