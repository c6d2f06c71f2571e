"""Runs the order processor: `python -m processors.order [run|migrate|replay …]`."""

from processors.order.handler import handle
from processors.order.settings import OrderSettings
from stream.service import processor

SERVICE = processor("order", OrderSettings, lambda _: handle)

if __name__ == "__main__":
    SERVICE.main()
