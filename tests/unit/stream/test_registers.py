"""The stamps of registers are ordered, and registers are updated, stored and loaded."""

import pytest

from stream.state import registers

TIERS = (("pending",), ("failed", "expired"), ("completed",))


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
    assert registers.stamp(TIERS, *lower) < registers.stamp(TIERS, *higher)


def test_a_status_the_table_does_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="no status refunded"):
        registers.stamp(TIERS, "refunded", None, "a")


def test_a_field_that_is_none_keeps_its_value_and_stamp() -> None:
    early, late = (0, 1, 0, "a"), (2, 2, 0, "b")

    updated = registers.update(
        registers.update({}, early, {"method": "card", "amount": 1}), late, {"method": None, "amount": 2}
    )

    assert updated == {"method": (early, "card"), "amount": (late, 2)}


def test_registers_are_stored_and_read_back_as_they_were() -> None:
    stored = {"status": ((2, 1_700_000_000_000_000, 0, "id"), "completed"), "amount": ((0, 0, 0, ""), 58000)}

    assert registers.load(registers.dump(stored)) == stored
    assert registers.load(None) == {}
