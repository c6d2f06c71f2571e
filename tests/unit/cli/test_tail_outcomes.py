"""`hookstream tail --outcome` takes every outcome that a service reports."""

from typing import get_args

from cli.clients.tail_entries import COLOURS
from stream.events import OutcomeKind


def test_every_outcome_has_a_colour() -> None:
    assert set(get_args(OutcomeKind)) <= COLOURS.keys()
