"""A derived value is computed at its first use, once for each instance, and is no part of a state's value."""

import math

import msgspec

from stream.state.derived import computed_once, derived


class Sum(msgspec.Struct, frozen=True, dict=True):
    terms: tuple[int, ...]

    @derived
    def total(self) -> int:
        COMPUTED.append(self.terms)
        return sum(self.terms)


COMPUTED: list[tuple[int, ...]] = []


@computed_once
def product(of: Sum) -> int:
    COMPUTED.append(of.terms)
    return math.prod(of.terms)


def test_a_value_is_computed_once_for_each_instance() -> None:
    one, other = Sum((1, 2)), Sum((3,))
    COMPUTED.clear()

    assert [one.total, one.total, other.total] == [3, 3, 3]
    assert COMPUTED == [(1, 2), (3,)]


def test_a_function_outside_the_class_is_computed_once_for_each_instance_too() -> None:
    one, other = Sum((2, 3)), Sum((4,))
    COMPUTED.clear()

    assert [product(one), product(one), product(other)] == [6, 6, 4]
    assert COMPUTED == [(2, 3), (4,)]
    assert one == Sum((2, 3))


def test_computed_values_change_neither_equality_nor_the_stored_form() -> None:
    read, unread = Sum((1, 2)), Sum((1, 2))

    assert read.total == 3

    assert read == unread
    assert msgspec.json.encode(read) == msgspec.json.encode(unread) == b'{"terms":[1,2]}'
