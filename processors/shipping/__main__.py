"""Runs the shipping processor: `python -m processors.shipping [run|migrate|replay …]`."""

from processors.shipping.handler import handle
from providers.retranslate import retranslate
from runtime.config.worker_settings import WorkerSettings
from stream.service import processor

SERVICE = processor("shipping", WorkerSettings, lambda _: handle, retranslate=retranslate, is_by_partition=True)

if __name__ == "__main__":
    SERVICE.main()
