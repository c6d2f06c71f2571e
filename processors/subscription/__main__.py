"""Runs the subscription processor: `python -m processors.subscription [run|migrate|replay …]`."""

from processors.subscription.handler import handle
from runtime.config.worker_settings import WorkerSettings
from stream.service import processor

SERVICE = processor("subscription", WorkerSettings, lambda _: handle)

if __name__ == "__main__":
    SERVICE.main()
