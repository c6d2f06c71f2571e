"""Runs the invoice processor: `python -m processors.invoice [run|migrate|replay …]`."""

from processors.invoice.handler import TOPICS, handle
from providers.retranslate import retranslate
from stream.events import topics
from stream.service import main

if __name__ == "__main__":
    main(
        "invoice",
        __package__,
        TOPICS,
        handle,
        publishes=(topics.INVOICES,),
        retranslate=retranslate,
        is_by_partition=True,
    )
