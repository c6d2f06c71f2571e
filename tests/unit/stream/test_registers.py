"""The stamps of registers are ordered, and registers are updated, stored and loaded."""

import pytest

from stream.events import EventId, Micros
from stream.state import registers
from stream.state.registers import UNSET, Register, Registers, Stamp, register

EARLY, LATE = Stamp(0, Micros(1), 0, EventId("a")), Stamp(2, Micros(2), 0, EventId("b"))
TIERS = (("pending",), ("failed", "expired"), ("completed",))


class Payment(Registers, frozen=True):
    method: Register[str] = UNSET
    amount: Register[int] = UNSET


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        (("pending", 9, "z"), ("failed", 1, "a")),
        (("failed", 1, "z"), ("failed", 2, "a")),
        (("failed", 1, "z"), ("expired", 1, "a")),
        (("failed", 1, "a"), ("failed", 1, "b")),
        (("failed", None, "b"), ("failed", 1, "a")),
    ],
    ids=["the rank first", "then the time", "then the place in the table", "then the id", "no time is the earliest"],
)
def test_the_higher_of_two_stamps_is_decided_by(
    lower: tuple[str, int | None, str], higher: tuple[str, int | None, str]
) -> None:
    assert stamp_of(*lower) < stamp_of(*higher)


def test_a_status_the_table_does_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="no status refunded"):
        registers.stamp(TIERS, "refunded", None, EventId("a"))


def test_a_field_that_is_none_keeps_its_value_and_stamp() -> None:
    early = Payment(method=register(EARLY, "card"), amount=register(EARLY, 1))
    late = Payment(method=register(LATE, None), amount=register(LATE, 2))

    merged = registers.merge(early, late)

    assert merged == Payment(method=Register(EARLY, "card"), amount=Register(LATE, 2))
    assert registers.merge(late, early) == merged


def test_registers_to_which_nothing_newer_is_merged_stay_the_same_object() -> None:
    late = Payment(amount=register(LATE, 1))

    assert registers.merge(late, Payment(amount=register(EARLY, 2))) is late
    assert registers.merge(late, Payment()) is late


def test_registers_of_keys_that_are_data_are_merged_by_their_stamps() -> None:
    one = {"a": Register(LATE, 1), "b": Register(EARLY, 2)}

    assert registers.merge_by_key(one, {"a": Register(EARLY, 0), "c": Register(EARLY, 3)}) == {
        **one,
        "c": Register(EARLY, 3),
    }


def test_registers_are_stored_and_read_back_as_they_were() -> None:
    payment = Payment(amount=Register(LATE, 58000))

    assert registers.dump(payment) == '{"amount":[[2,2,0,"b"],58000]}'
    assert registers.load(Payment, registers.dump(payment)) == payment
    assert registers.load(Payment, None) == Payment()
    assert registers.load(Payment, "{}").amount is UNSET


def test_registers_in_several_parts_are_one_object() -> None:
    payment, tries = Payment(amount=Register(LATE, 58000)), {"try:1": Register(EARLY, 7)}

    stored = registers.dump(payment, tries, Payment())

    assert stored == '{"amount":[[2,2,0,"b"],58000],"try:1":[[0,1,0,"a"],7]}'
    assert registers.load(Payment, stored) == payment
    assert registers.load_prefixed(stored, "try:", int) == {"1": Register(EARLY, 7)}


def stamp_of(status: str, at: int | None, event_id: str) -> Stamp:
    return registers.stamp(TIERS, status, None if at is None else Micros(at), EventId(event_id))
