"""Ids are the same however often the same thing is said."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from stream import ids
from tests.builders import a_payment


@given(st.text())
def test_ids_are_what_the_standard_library_makes(name: str) -> None:
    assert ids.uuid5(name) == str(uuid.uuid5(uuid.UUID(bytes=ids.NAMESPACE), name))


def test_the_digest_is_of_what_is_said_and_not_of_how() -> None:
    assert ids.digest(a_payment(at=1).notice) == ids.digest(a_payment(at=2).notice)
    assert ids.digest(a_payment(amount=1).notice) != ids.digest(a_payment(amount=2).notice)


def test_the_other_mode_is_another_event() -> None:
    assert ids.event_id("stripe", "live", "evt_1") != ids.event_id("stripe", "test", "evt_1")
