"""What a payment is after any set of webhooks, and what is true then. Pure; the same in whatever order they come."""

from processors.payment.domain.book import Book
from processors.payment.domain.facts import OrdersPolicy, apply, truths
from processors.payment.domain.payment import TRANSITIONS, Claim, Parts, Payment

__all__ = ["TRANSITIONS", "Book", "Claim", "OrdersPolicy", "Parts", "Payment", "apply", "truths"]
