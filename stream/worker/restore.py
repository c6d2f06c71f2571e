"""What a service with outside effects, such as mails, does when its store was restored from a backup."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from stream.events import Record
from stream.worker.bisection import Handler


@dataclass(frozen=True, slots=True)
class RestoreHooks:
    """`on_rewind` deactivates the pending work of the store, inside the transaction that detects the restore.

    `handle_again` applies events that were handled before the restore. To recognize each of them, the worker of a
    service with these hooks commits its offsets to Kafka after every batch.
    """

    handle_again: Handler[Record]
    on_rewind: Callable[[Connection], None]
