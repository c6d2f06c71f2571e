"""Outcomes are held for a second, with the offsets that may be committed only once they are published."""

from hypothesis import given
from hypothesis import strategies as st

from stream.events.topics import OUTCOMES
from stream.store.outbox import OutboxMessage
from stream.worker.publishing.held_outcomes import INTERVAL_S, HeldOutcomes

PARTITIONS = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 2))
BATCHES = st.lists(st.dictionaries(PARTITIONS, st.integers(1, 99), min_size=1))


def _outcome(n: int) -> OutboxMessage:
    return OutboxMessage("a", 0, OUTCOMES.name, None, b"%d" % n)


@given(batches=BATCHES)
def test_all_outcomes_are_taken_once_in_order_with_the_last_offset_of_each_partition(
    batches: list[dict[tuple[str, int], int]],
) -> None:
    held = HeldOutcomes()

    for n, ends in enumerate(batches):
        held.add([_outcome(n)], ends, now=n)
    outcomes, offsets = held.pop_all()

    assert outcomes == [_outcome(n) for n in range(len(batches))]
    assert offsets == {partition: end for ends in batches for partition, end in ends.items()}
    assert held.pop_all() == ([], {})


def test_outcomes_are_due_when_the_first_has_been_held_for_the_interval() -> None:
    held = HeldOutcomes()

    held.add([_outcome(1)], {("a", 0): 1}, now=100.0)
    held.add([_outcome(2)], {("a", 0): 2}, now=100.9)

    assert not held.is_due(100.0 + INTERVAL_S - 0.1)
    assert held.is_due(100.0 + INTERVAL_S)


def test_a_batch_without_outcomes_is_due_too_so_that_its_offsets_are_committed() -> None:
    held = HeldOutcomes()

    held.add([], {("a", 0): 1}, now=0.0)

    assert held.is_due(INTERVAL_S)
    assert not HeldOutcomes().is_due(INTERVAL_S)
