"""Runs the refund processor: `python -m processors.refund [run|migrate|replay …]`."""

from processors.refund.handler import TOPICS, handle
from providers.again import reread
from stream import topics
from stream.service import main

if __name__ == "__main__":
    main("refund", __package__, TOPICS, handle, announces=(topics.REFUNDS,), reread=reread, is_by_partition=True)
