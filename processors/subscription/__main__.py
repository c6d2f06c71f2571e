"""Runs the subscription processor: `python -m processors.subscription [run|migrate|replay …]`."""

from processors.subscription.handler import handle
from runtime.config.store_settings import StoreSettings
from stream.service import processor

SERVICE = processor("subscription", StoreSettings, lambda _: handle)

if __name__ == "__main__":
    SERVICE.main()
