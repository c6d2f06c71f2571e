"""What the refunds of an order are after any set of events. Pure; the same in whatever order they come."""

from processors.refund.domain.book import Book, names
from processors.refund.domain.refunds import TRANSITIONS, Refunds, apply, processed_at, reason, truths

__all__ = ["TRANSITIONS", "Book", "Refunds", "apply", "names", "processed_at", "reason", "truths"]
