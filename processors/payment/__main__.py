"""Runs the payment processor: `python -m processors.payment [run|migrate|replay …]`."""

from functools import partial

from processors.payment.handler import handle
from processors.payment.settings import PaymentSettings
from providers.retranslate import retranslate
from stream.service import processor

SERVICE = processor(
    "payment",
    PaymentSettings,
    lambda settings: partial(handle, orders=settings.orders),
    retranslate=retranslate,
    is_by_partition=True,
)

if __name__ == "__main__":
    SERVICE.main()
