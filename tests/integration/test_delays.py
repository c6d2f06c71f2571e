"""The delays of the overview count what was processed at the first attempt, and no time that an event lay dead."""

import msgspec
import pytest
from sqlalchemy import Engine

from console.handler import handle
from console.queries.figures import rates
from stream.events import Micros, NotificationSent, OrderId, OutcomeKind, PaymentWebhook, Record
from tests.builders import MINUTE, NOON, a_payment, an_approval
from tests.integration.test_console_counts import log_store
from tests.integration.test_issues import an_outcome

__all__ = ["log_store"]
SECOND, HOUR = 1_000_000, 3_600_000_000
RECEIVED = NOON + MINUTE
HELD_UP: dict[str, OutcomeKind] = {"redriven": "dead", "retried": "retrying", "waited": "waiting"}


def a_mailed_payment(name: str, *outcomes: tuple[OutcomeKind, int]) -> list[Record]:
    """A payment with its outcomes, each so long after its receipt, and a mail a second after the last of them."""
    payment: PaymentWebhook = a_payment(order=f"D-{name}", name=name)
    approval = an_approval(f"D-{name}", caused_by=payment.envelope.event_id)
    last = RECEIVED + outcomes[-1][1]
    mail = NotificationSent(
        notification_id=approval.event_id,
        event_id=approval.event_id,
        event_type="PaymentCompleted",
        audience="customer",
        channel="email",
        order_id=OrderId(f"D-{name}"),
        customer_id=None,
        locale="ko",
        message_id=f"<{name}@example.test>",
        sent_at=Micros(last + SECOND),
    )
    reported = [an_outcome(payment.envelope.event_id, kind, RECEIVED + after) for kind, after in outcomes]
    return [payment, *reported, approval, mail]


def delays(store: Engine, *lives: list[Record]) -> tuple[rates.Delay, rates.Delay]:
    with store.begin() as tx:
        handle(tx, [record for life in lives for record in life])
    with store.connect() as tx:
        return rates.delays(tx, RECEIVED + 10 * MINUTE)


def test_a_delay_is_from_the_receipt_to_the_row_and_to_the_mail(log_store: Engine) -> None:
    to_row, to_mail = delays(log_store, a_mailed_payment("one", ("processed", 2 * SECOND)))

    assert (to_row.p50_s, to_row.p99_s, to_row.count) == (2.0, 2.0, 1)
    assert (to_mail.p50_s, to_mail.count) == (3.0, 1)


@pytest.mark.parametrize("kind", HELD_UP)
def test_what_was_held_up_does_not_count(log_store: Engine, kind: str) -> None:
    held_up = a_mailed_payment(kind, (HELD_UP[kind], SECOND), ("processed", 5 * MINUTE))

    to_row, to_mail = delays(log_store, a_mailed_payment("one", ("processed", 2 * SECOND)), held_up)

    assert (to_row.p99_s, to_row.count) == (2.0, 1)
    assert (to_mail.p99_s, to_mail.count) == (3.0, 1)


def test_a_repetition_holds_nothing_up(log_store: Engine) -> None:
    repeated = a_mailed_payment("one", ("processed", 2 * SECOND), ("duplicate", 9 * SECOND))

    assert delays(log_store, repeated)[0].count == 1


def test_a_cause_that_is_no_uuid_is_no_error(log_store: Engine) -> None:
    payment, outcome, approval, mail = a_mailed_payment("one", ("processed", SECOND))

    _, to_mail = delays(log_store, [payment, outcome, msgspec.structs.replace(approval, caused_by="a shop"), mail])

    assert to_mail.count == 1
