"""Runs the invoice processor: `python -m processors.invoice [run|migrate]`."""

from processors.invoice.handler import TOPICS, handle
from stream.service import main

if __name__ == "__main__":
    main("invoice", __package__, TOPICS, handle)
