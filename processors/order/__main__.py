"""Runs the order processor: `python -m processors.order [run|migrate|replay …]`."""

from processors.order.handler import handle
from runtime.config.settings import StoreSettings
from stream.service import processor

SERVICE = processor("order", StoreSettings, lambda _: handle)

if __name__ == "__main__":
    SERVICE.main()
