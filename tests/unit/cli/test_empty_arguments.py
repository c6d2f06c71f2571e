"""An empty value is a slip in every command: it never means all."""

import pytest

from cli.__main__ import _check_arguments
from local.messages import CommandError


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["refusals", "list", "--since", ""], "The value of --since is empty."),
        (["stats", "--from", " "], "The value of --from is empty."),
        (["stats", "--from="], "The value of --from is empty."),
        (["order", ""], "An argument is empty."),
    ],
)
def test_an_empty_argument_is_refused(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        _check_arguments(arguments)


def test_other_arguments_pass() -> None:
    _check_arguments(["replay", "payment", "--into", "r1", "--orders", "A,B", "--to=2026-02-03T12:00Z"])
