"""Ids are deterministic, and records that differ have different ids."""

import uuid
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stream.events import DeadRecord, Micros, Outcome, RejectedWebhook, ids
from stream.kafka.delivery import identity
from tests.builders import a_payment


@given(st.text())
def test_ids_are_what_the_standard_library_makes(name: str) -> None:
    assert ids.uuid5(name) == str(uuid.uuid5(uuid.UUID(bytes=ids.NAMESPACE), name))


def test_the_digest_depends_on_the_content_and_not_on_the_envelope() -> None:
    assert ids.digest(a_payment(at=1).payload) == ids.digest(a_payment(at=2).payload)
    assert ids.digest(a_payment(amount=1).payload) != ids.digest(a_payment(amount=2).payload)


def test_the_other_mode_is_another_event() -> None:
    assert ids.event_id("stripe", "live", "evt_1") != ids.event_id("stripe", "test", "evt_1")


def an_outcome(**fields: Any) -> Outcome:
    defaults = {
        "event_id": "e",
        "service": "payment",
        "topic": "webhooks.payment.v1",
        "partition": 0,
        "offset": 7,
        "outcome": "retrying",
        "attempt": 1,
        "error": None,
        "at": 1,
    }
    return Outcome(**{**defaults, **fields})


def test_every_record_of_every_topic_has_an_id() -> None:
    letter = {"key": b"k", "value": None, "error": "no", "at": 1}
    position = {"event_id": "e", "service": "payment", "topic": "t", "partition": 0, "offset": 7}
    rejected = RejectedWebhook(
        provider="toss", path="/", cause="no", headers={}, digest=b"d", excerpt=b"", received_at=Micros(1)
    )

    for record in (an_outcome(), DeadRecord(**position, **letter), rejected):  # type: ignore[arg-type]
        event_id, digest = identity(record)
        assert uuid.UUID(event_id).version == 5
        assert (event_id, digest) == identity(msgspec.structs.replace(record))


def test_outcomes_of_different_times_or_services_have_different_ids() -> None:
    assert identity(an_outcome()) == identity(an_outcome(error="published again with another text"))
    assert identity(an_outcome()) != identity(an_outcome(at=2))
    assert identity(an_outcome()) != identity(an_outcome(service="refund"))
