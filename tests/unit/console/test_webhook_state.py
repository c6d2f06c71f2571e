"""A webhook's state, whatever the order of its outcomes."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain import STATUSES, SUCCEEDED, UNSUCCESSFUL, OutcomeReport, WebhookState, type_of, webhook_state
from stream.events import OutcomeKind
from tests.builders import a_payment, a_refund, a_scan

OUTCOMES = get_args(OutcomeKind)


def a_report(
    outcome: OutcomeKind, *, at: int = 1, attempt: int = 1, service: str = "payment", error: str | None = None
) -> OutcomeReport:
    return OutcomeReport(service, "webhooks.payment.v1", 0, 1, outcome, attempt, error, at)


reports = st.builds(
    OutcomeReport,
    service=st.sampled_from(["payment", "refund"]),
    topic=st.just("webhooks.payment.v1"),
    partition=st.integers(0, 1),
    offset=st.integers(0, 2),
    outcome=st.sampled_from(OUTCOMES),
    attempt=st.integers(1, 6),
    error=st.sampled_from([None, "no", "never"]),
    at=st.integers(0, 3),
)


@given(
    st.lists(reports, max_size=6).flatmap(
        lambda given_reports: st.tuples(st.just(given_reports), st.permutations(given_reports))
    )
)
def test_the_order_and_repetition_of_outcomes_do_not_matter(
    given_reports: tuple[list[OutcomeReport], list[OutcomeReport]],
) -> None:
    first, shuffled = given_reports

    assert webhook_state("w", first) == webhook_state("w", [*shuffled, *first])


def test_a_webhook_of_a_paused_provider_waits_and_one_that_was_quarantined_otherwise_has_failed() -> None:
    assert webhook_state("w", [], quarantined_because="paused: toss is paused").status == "RECEIVED"
    assert webhook_state("w", [], quarantined_because="other_mode: paused").status == "FAILED"


def test_first_dead_at_is_when_the_first_service_dead_lettered_it_even_if_it_was_redriven() -> None:
    given_reports = [
        a_report("dead", at=2),
        a_report("dead", at=1, service="refund"),
        a_report("processed", at=3),
    ]

    assert [webhook_state("w", given_reports[:n]).first_dead_at for n in (1, 2, 3)] == [2, 1, 1]


@given(st.lists(reports))
def test_what_came_twice_never_changes_the_status(given_reports: list[OutcomeReport]) -> None:
    once = [report for report in given_reports if report.outcome not in ("duplicate", "conflict")]

    assert webhook_state("w", given_reports).status == webhook_state("w", once).status


@pytest.mark.parametrize(
    ("given_reports", "status", "count"),
    [
        ([], "RECEIVED", 0),
        ([a_report("processed")], "PROCESSED", 0),
        ([a_report("late")], "PROCESSED", 0),
        ([a_report("waiting")], "RECEIVED", 0),
        ([a_report("waiting"), a_report("processed", at=2)], "PROCESSED", 0),
        ([a_report("retrying")], "FAILED", 1),
        ([a_report("retrying"), a_report("retrying", attempt=2, at=2)], "RETRYING", 2),
        ([a_report("retrying"), a_report("processed", attempt=2, at=2)], "PROCESSED", 2),
        ([a_report("dead", attempt=6)], "ABANDONED", 6),
        ([a_report("dead", attempt=6), a_report("processed", at=2)], "PROCESSED", 0),
        ([a_report("dead", attempt=6), a_report("retrying", at=2)], "FAILED", 1),
        ([a_report("processed"), a_report("dead", service="refund")], "ABANDONED", 1),
        ([a_report("processed", at=9), a_report("waiting", service="refund")], "RECEIVED", 0),
    ],
)
def test_the_status_follows_from_the_latest_outcome_of_each_service(
    given_reports: list[OutcomeReport], status: str, count: int
) -> None:
    state = webhook_state("w", given_reports)

    assert (state.status, state.retry_count) == (status, count)


def test_a_quarantined_webhook_has_failed_until_a_service_processes_it() -> None:
    assert webhook_state("w", [], quarantined_because="malformed_body: not JSON") == WebhookState(
        "FAILED", error="malformed_body: not JSON"
    )
    assert (
        webhook_state("w", [a_report("processed", at=5)], quarantined_because="malformed_body: not JSON").status
        == "PROCESSED"
    )


def test_a_verification_request_is_done_when_it_has_become_an_event() -> None:
    assert webhook_state("w", []).status == "RECEIVED"
    assert webhook_state("w", [], confirmed=True).status == "PROCESSED"


def test_a_duplicate_is_noted_in_contract_es_words() -> None:
    assert webhook_state("w-1", [a_report("processed"), a_report("duplicate", at=2)]).note == "중복된 웹훅입니다: w-1"


def test_every_status_but_received_is_a_success_or_a_failure() -> None:
    assert set(STATUSES) - {"RECEIVED"} == SUCCEEDED | UNSUCCESSFUL


def test_types_are_contract_es_for_payments_and_refunds_and_the_providers_own_for_others() -> None:
    assert type_of(a_payment("completed")) == "PAYMENT_COMPLETED"
    assert type_of(a_payment("partially_cancelled")) == "PAYMENT_CANCELLED"
    assert type_of(a_payment("pending")) == a_payment("pending").envelope.event_type
    assert type_of(a_refund("completed")) == "REFUND_COMPLETED"
    assert type_of(a_refund("rejected")) == "REFUND_FAILED"
    assert type_of(a_scan()) == a_scan().envelope.event_type


def test_alerting_the_operator_to_a_quarantined_webhook_does_not_process_it() -> None:
    alert = OutcomeReport("notifier", "webhooks.quarantine.v1", 0, 1, "processed", 1, None, 5)
    released = OutcomeReport("gateway", "webhooks.quarantine.v1", 0, 1, "processed", 1, None, 9)

    assert webhook_state("W", [alert], quarantined_because="invalid_field: amount is finer than KRW").status == "FAILED"
    assert (
        webhook_state("W", [alert, released], quarantined_because="invalid_field: amount is finer than KRW").status
        == "PROCESSED"
    )
