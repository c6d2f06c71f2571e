"""Runs the shipping processor: `python -m processors.shipping [run|migrate|replay …]`."""

from processors.shipping.handler import TOPICS, handle
from providers.retranslate import retranslate
from stream.events import topics
from stream.service import main

if __name__ == "__main__":
    main(
        "shipping",
        __package__,
        TOPICS,
        handle,
        publishes=(topics.SHIPMENTS,),
        retranslate=retranslate,
        is_by_partition=True,
    )
