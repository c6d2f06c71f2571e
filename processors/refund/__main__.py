"""Runs the refund processor: `python -m processors.refund [run|migrate|replay …]`."""

from processors.refund.handler import TOPICS, handle
from providers.retranslate import retranslate
from stream.events import topics
from stream.service import main

if __name__ == "__main__":
    main(
        "refund",
        __package__,
        TOPICS,
        handle,
        publishes=(topics.REFUNDS,),
        retranslate=retranslate,
        is_by_partition=True,
    )
