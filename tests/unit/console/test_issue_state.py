"""Which dead events are one issue, and what state it is in, whatever the order of what is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain import OutcomeReport
from console.issues.domain import KINDS, STATES, TRANSITIONS, Kind, State, deaths, fold, signature, state
from stream.events import OutcomeKind
from stream.store.waiting import OVERDUE

times = st.integers(0, 9)
changes = st.lists(st.tuples(times, st.sampled_from(KINDS)), max_size=8)


def a_report(outcome: OutcomeKind, at: int, error: str | None = None, service: str = "payment") -> OutcomeReport:
    return OutcomeReport(service, "webhooks.payment.v1", 0, 1, outcome, 1, error, at)


def test_every_state_has_a_successor_for_every_change() -> None:
    states: list[State | None] = [None, *STATES]

    assert TRANSITIONS.keys() == {(before, kind) for before in states for kind in KINDS}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([(1, "died")], "open"),
        ([(1, "died"), (2, "acknowledged")], "acknowledged"),
        ([(1, "died"), (2, "acknowledged"), (3, "died")], "acknowledged"),
        ([(1, "died"), (2, "resolved")], "resolved"),
        ([(1, "died"), (2, "resolved"), (3, "died")], "open"),
        ([(1, "died"), (2, "acknowledged"), (3, "resolved"), (4, "died")], "open"),
        ([(1, "acknowledged"), (2, "died")], "open"),
        ([(1, "died"), (1, "resolved")], "resolved"),
    ],
)
def test_an_issue_is_opened_by_a_death_and_opened_again_by_one_after_it_was_resolved(
    known: list[tuple[int, Kind]], expected: State
) -> None:
    assert fold(known) == expected


@given(changes.flatmap(lambda known: st.tuples(st.just(known), st.permutations(known))))
def test_the_order_in_which_changes_are_read_does_not_matter(
    known: tuple[list[tuple[int, Kind]], list[tuple[int, Kind]]],
) -> None:
    assert fold(known[0]) == fold(known[1])


@given(st.lists(times, min_size=1, max_size=6), st.none() | times, st.none() | times)
def test_the_first_death_and_the_first_after_the_resolution_decide(
    died: list[int], acknowledged_at: int | None, resolved_at: int | None
) -> None:
    later = [at for at in died if resolved_at is not None and at > resolved_at]
    two = [min(died), *([min(later)] if later else [])]

    assert state(two, acknowledged_at, resolved_at) == state(died, acknowledged_at, resolved_at)


@given(st.none() | times, st.none() | times)
def test_an_issue_of_which_nothing_is_dead_is_resolved(acknowledged_at: int | None, resolved_at: int | None) -> None:
    assert state([], acknowledged_at, resolved_at) == "resolved"


@pytest.mark.parametrize(
    ("error", "cause", "line"),
    [
        (
            'CheckViolation (23514): row of "orders" breaks "amount"\nDETAIL: 7',
            "CheckViolation (23514)",
            'row of "orders" breaks "amount"',
        ),
        ("ValueError: order 123 has 2 payments", "ValueError", "order … has … payments"),
        ("KeyError: 9b2c1f7e-0000-4000-8000-00000000abcd is gone", "KeyError", "… is gone"),
        ("the provider says no", "other", "the provider says no"),
        ("ValueError: kim@example.test", "ValueError", "k***@example.test"),
        (OVERDUE, "overdue", OVERDUE),
        (None, "other", ""),
    ],
)
def test_events_with_the_same_cause_and_first_line_are_one_issue(error: str | None, cause: str, line: str) -> None:
    found = signature("payment", error)

    assert (found.cause, found.line) == (cause, line)
    assert found.issue_id != signature("refund", error).issue_id


def test_numbers_and_ids_do_not_make_another_issue() -> None:
    assert signature("payment", "ValueError: order 1 at 10:30") == signature("payment", "ValueError: order 22 at 9:05")


def test_an_event_is_dead_of_its_latest_error_only() -> None:
    first, second = "ValueError: a", "KeyError: b"
    published = [a_report("dead", 1, first), a_report("retrying", 2, first), a_report("dead", 3, second)]

    found = {death.signature.cause: (death.died_at, death.is_dead) for death in deaths(reversed(published))}

    assert found == {"ValueError": (1, False), "KeyError": (3, True)}


def test_a_redrive_does_not_move_the_first_death() -> None:
    published = [a_report("dead", 1, "ValueError: a"), a_report("retrying", 2), a_report("dead", 3, "ValueError: a")]

    (death,) = deaths(reversed(published))

    assert (death.first_died_at, death.died_at, death.is_dead) == (1, 3, True)


@pytest.mark.parametrize("end", ["processed", "late", "dismissed", "retrying"])
def test_an_event_that_was_processed_dismissed_or_redriven_is_not_dead(end: OutcomeKind) -> None:
    (death,) = deaths([a_report("dead", 1, "ValueError: a"), a_report(end, 2), a_report("duplicate", 3)])

    assert not death.is_dead


def test_an_event_may_be_dead_in_two_services() -> None:
    published = [a_report("dead", 1, "ValueError: a", service) for service in ("payment", "refund")]

    assert [death.is_dead for death in deaths(published)] == [True, True]
