"""The verdict finds what is lost and what is double, and does not mistake one for the other."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from simulator.inbox import ReceivedMail
from simulator.plan import Plan, lives
from simulator.sender import Tally
from simulator.story import SimulatedWebhook
from simulator.verdict import ExpectedRun, Seen, expected, judge

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIVES = lives(Plan("abc", NOON, orders=2))
WEBHOOKS = [webhook for life in LIVES for webhook in life.webhooks]
ROWS = [row for webhook in WEBHOOKS for row in webhook.rows]
PAYMENT = WEBHOOKS[1]
(ROW,), (MAIL,) = PAYMENT.rows, PAYMENT.mails


def a_tally(*not_accepted: SimulatedWebhook) -> Tally:
    return Tally(accepted=set(WEBHOOKS) - set(not_accepted), refused=dict.fromkeys(not_accepted, "503"))


def wanted_by(tally: Tally) -> ExpectedRun:
    return expected(LIVES, tally.accepted)


def a_mail(webhook: SimulatedWebhook, number: str = "") -> ReceivedMail:
    name = f"{webhook.mails[0]}@example.test"
    return ReceivedMail(number or name, name, f"{webhook.order_id.lower()}@example.test", "subject", NOON)


def everything() -> Seen:
    mails = tuple(a_mail(webhook) for webhook in WEBHOOKS if webhook.mails)
    return Seen(Counter(ROWS), {(row.service, row.key): 1 for row in ROWS}, mails)


def test_all_is_well_when_each_webhook_has_its_row_and_its_mail() -> None:
    tally = a_tally()

    verdict = judge(wanted_by(tally), everything(), tally)

    assert str(verdict) == "sent 8 · rows 6 · mails 6 · lost 0 · double 0"
    assert verdict.good


def test_a_row_and_a_mail_that_are_missing_are_lost() -> None:
    tally, whole = a_tally(), everything()
    seen = replace(whole, rows=whole.rows - Counter([ROW]), mails=whole.mails[1:])

    verdict = judge(wanted_by(tally), seen, tally)

    assert str(verdict) == "sent 8 · rows 5 · mails 5 · lost 2 · double 0"
    assert not verdict.good


def test_a_row_with_another_status_is_lost() -> None:
    tally, whole = a_tally(), everything()
    seen = replace(whole, rows=whole.rows - Counter([ROW]) + Counter([replace(ROW, status="pending")]))

    assert len(judge(wanted_by(tally), seen, tally).lost) == 1


def test_a_mail_that_came_twice_and_a_webhook_applied_twice_are_double() -> None:
    tally, whole = a_tally(), everything()
    seen = replace(
        whole,
        mails=(*whole.mails, a_mail(PAYMENT, "again")),
        applied={**whole.applied, ("payment", ROW.key): 3},
    )

    verdict = judge(wanted_by(tally), seen, tally)

    assert str(verdict) == "sent 8 · rows 6 · mails 6 · lost 0 · double 3"
    assert not verdict.good


def test_a_mail_nothing_asks_for_is_double() -> None:
    tally, whole = a_tally(), everything()
    stray = replace(a_mail(PAYMENT), number="stray", message_id="stray@example.test")

    assert len(judge(wanted_by(tally), replace(whole, mails=(*whole.mails, stray)), tally).double) == 1


def test_a_mail_the_notifier_cannot_tell_of_is_unknown_and_not_lost() -> None:
    tally, whole = a_tally(), everything()
    seen = replace(whole, mails=whole.mails[1:], messages={MAIL: "unknown"})

    verdict = judge(wanted_by(tally), seen, tally)

    assert str(verdict) == "sent 8 · rows 6 · mails 5 · lost 0 · double 0 · unknown 1"
    assert verdict.good


def test_what_was_not_accepted_is_neither_lost_nor_double_but_said() -> None:
    tally = a_tally(PAYMENT)

    verdict = judge(wanted_by(tally), everything(), tally)

    assert str(verdict) == "sent 7 · rows 5 · mails 5 · lost 0 · double 0 · not accepted 1"
    assert not verdict.good


def test_nobody_is_mailed_about_an_order_that_was_not_accepted() -> None:
    tally = a_tally(WEBHOOKS[0])

    assert len(wanted_by(tally).mails) == 3
