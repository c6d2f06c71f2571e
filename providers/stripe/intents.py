"""Parses Stripe's checkout sessions and payment intents."""

from collections.abc import Callable

from providers.contract import Unsupported
from providers.parsing.money import whole_units
from providers.stripe.objects import CheckoutSession, PaymentIntent
from providers.stripe.parsed_payment import ParsedPayment, refunds_releases, released_part
from stream.events import PaymentStatus

_SESSION_STATUSES: dict[str, PaymentStatus] = {
    "paid": "completed",
    "no_payment_required": "completed",
    "unpaid": "pending",
}


def session_parser(status: PaymentStatus | None) -> Callable[[CheckoutSession, str | None], ParsedPayment]:
    """Return the parser for a session whose payment has `status`; None: take the status from `payment_status`.

    A completed session may be unpaid. The parser raises Unsupported for a session that pays nothing (`setup`), and for
    an unknown `payment_status` that it would have to use.
    """

    def parse(session: CheckoutSession, _: str | None) -> ParsedPayment:
        if session.mode == "setup":
            raise Unsupported("a session that stores a card for later pays nothing")
        actual = status or _SESSION_STATUSES.get(session.payment_status)
        if actual is None:
            raise Unsupported(f"the payment_status {session.payment_status} is not known to mean paid or unpaid")
        ids = (session.payment_intent, session.id)
        return ParsedPayment(
            actual, session, ids, whole_units(session.amount_total, "amount_total"), _only(session.payment_method_types)
        )

    return parse


def intent_parser(status: PaymentStatus) -> Callable[[PaymentIntent, str | None], ParsedPayment]:
    """Return the parser for an intent whose payment has `status`."""

    def parse(intent: PaymentIntent, version: str | None) -> ParsedPayment:
        received = whole_units(intent.amount_received, "amount_received") if status == "completed" else None
        amount = whole_units(intent.amount)
        problem = intent.last_payment_error.message if status == "failed" and intent.last_payment_error else None
        charges = intent.charges.data if intent.charges else ()
        last = intent.latest_charge or next((charge.id for charge in charges), None)
        ids = (intent.id, intent.latest_charge, *(charge.id for charge in charges))
        parsed = ParsedPayment(status, intent, ids, received or amount, _only(intent.payment_method_types), problem)
        if status == "failed":
            return parsed._replace(attempt=last)
        return parsed._replace(released=released_part(amount, received)) if refunds_releases(version) else parsed

    return parse


def parse_canceled(intent: PaymentIntent, version: str | None) -> ParsedPayment:
    """Parse a canceled intent. It was never paid, so nothing is given back."""
    return intent_parser("cancelled")(intent, version)._replace(refunded=0)


def _only(methods: tuple[str, ...] | None) -> str | None:
    """Return the method if only one was offered; otherwise it is not certain which was used."""
    return methods[0] if methods and len(methods) == 1 else None
