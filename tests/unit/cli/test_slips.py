"""A slip of a person's is one sentence, said before any service is asked."""

from collections.abc import Callable

import pytest

from cli import changing, dead, replaying, trying
from local.telling import Trouble

UNUSABLE = "R\n1"
NO_NAME = "Name must be a text of 1 to 200 printable characters, or a list of such."
SLIPS: dict[str, tuple[Callable[[], None], str]] = {
    "dead list --status": (lambda: dead.list_(status="foo"), "Status must be retrying, abandoned or dismissed."),
    "dead show": (lambda: dead.show(UNUSABLE), NO_NAME),
    "dead redrive": (lambda: changing.command(changing.REDRIVE)([UNUSABLE]), NO_NAME),
    "dead give-up": (lambda: changing.command(changing.GIVE_UP)([UNUSABLE]), NO_NAME),
    "retry": (lambda: trying.retry(UNUSABLE), NO_NAME),
    "history --at": (
        lambda: replaying.history("R-1", "noon"),
        "--at: noon is no time, such as 2026-02-03T12:00+09:00.",
    ),
}


@pytest.mark.parametrize("command", SLIPS)
def test_a_slip_is_one_sentence(command: str) -> None:
    slip, sentence = SLIPS[command]

    with pytest.raises(Trouble) as said:
        slip()

    assert str(said.value) == sentence
