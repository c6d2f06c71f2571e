"""Runs the shipping processor: `python -m processors.shipping [run|migrate]`."""

from processors.shipping.handler import TOPICS, handle
from stream.service import main

if __name__ == "__main__":
    main("shipping", __package__, TOPICS, handle)
