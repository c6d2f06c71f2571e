"""Runs the refund processor: `python -m processors.refund [run|migrate|replay …]`."""

from processors.refund.handler import handle
from providers.retranslate import retranslate
from runtime.config.worker_settings import WorkerSettings
from stream.service import processor

SERVICE = processor("refund", WorkerSettings, lambda _: handle, retranslate=retranslate, is_by_partition=True)

if __name__ == "__main__":
    SERVICE.main()
