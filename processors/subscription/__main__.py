"""Runs the subscription processor: `python -m processors.subscription [run|migrate|replay …]`."""

from processors.subscription.handler import TOPICS, handle
from stream.events import topics
from stream.service import main

if __name__ == "__main__":
    main("subscription", __package__, TOPICS, handle, publishes=(topics.SUBSCRIPTIONS,))
