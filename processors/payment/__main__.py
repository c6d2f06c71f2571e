"""Runs the payment processor: `python -m processors.payment [run|migrate]`."""

from processors.payment.handler import TOPICS, handle
from stream.service import main

if __name__ == "__main__":
    main("payment", __package__, TOPICS, handle)
