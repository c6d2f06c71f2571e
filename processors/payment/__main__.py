"""Runs the payment processor: `python -m processors.payment [run|migrate|replay …]`."""

from functools import partial

from processors.payment.handler import TOPICS, handle
from processors.payment.settings import PaymentSettings
from providers.retranslate import retranslate
from stream.events import topics
from stream.service import main

if __name__ == "__main__":
    settings = PaymentSettings.read()
    main(
        "payment",
        __package__,
        TOPICS,
        partial(handle, orders=settings.orders),
        publishes=(topics.PAYMENTS,),
        retranslate=retranslate,
        is_by_partition=True,
    )
