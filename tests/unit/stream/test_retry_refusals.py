"""Every outcome has an answer for a person who asks to retry the event."""

from typing import get_args

import pytest

from stream.dead_letters.refusals import NOT_RETRIED, PROCESSED
from stream.events.record import OutcomeKind


@pytest.mark.parametrize("outcome", get_args(OutcomeKind))
def test_an_event_of_every_outcome_is_refused_with_a_reason(outcome: str) -> None:
    assert outcome in PROCESSED or NOT_RETRIED[outcome]
