"""Runs the order processor: `python -m processors.order [run|migrate|replay …]`."""

from processors.order.handler import TOPICS, handle
from stream.events import topics
from stream.service import main

if __name__ == "__main__":
    main("order", __package__, TOPICS, handle, publishes=(topics.ORDER_STATUS,))
