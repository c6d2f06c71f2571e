"""Runs the refund processor: `python -m processors.refund [run|migrate]`."""

from processors.refund.handler import TOPICS, handle
from stream.service import main

if __name__ == "__main__":
    main("refund", __package__, TOPICS, handle)
