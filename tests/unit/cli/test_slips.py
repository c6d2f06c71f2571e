"""A typing error gives a one-sentence error before any service is called."""

from collections.abc import Callable

import pytest

from cli.commands.operations import replay
from cli.dead import bulk_changes, retry
from cli.dead import commands as dead
from local.messages import CommandError

UNUSABLE = "R\n1"
NO_NAME = "Name must be a text of 1 to 200 printable characters, or a list of such texts."
SLIPS: dict[str, tuple[Callable[[], None], str]] = {
    "dead list --status": (lambda: dead.list_(status="foo"), "Status must be retrying, dead or dismissed."),
    "dead show": (lambda: dead.show(UNUSABLE), NO_NAME),
    "dead redrive": (lambda: bulk_changes.command(bulk_changes.REDRIVE)([UNUSABLE]), NO_NAME),
    "dead last-retry": (lambda: bulk_changes.command(bulk_changes.LAST_RETRY)([UNUSABLE]), NO_NAME),
    "retry": (lambda: retry.retry(UNUSABLE), NO_NAME),
    "history --at": (
        lambda: replay.history("R-1", "noon"),
        "--at: noon is not a time such as 2026-02-03T12:00+09:00.",
    ),
}


@pytest.mark.parametrize("command", SLIPS)
def test_a_slip_is_one_sentence(command: str) -> None:
    slip, sentence = SLIPS[command]

    with pytest.raises(CommandError) as raised:
        slip()

    assert str(raised.value) == sentence
