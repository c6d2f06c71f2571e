"""A slip of a person's is one sentence, said before any service is asked."""

from collections.abc import Callable

import pytest

from cli import changing, dead, replaying, trying
from local.telling import Trouble

NO_UUID = "Id must be an event's id, a UUID."
SLIPS: dict[str, tuple[Callable[[], None], str]] = {
    "dead list --status": (lambda: dead.list_(status="foo"), "Status must be retrying or abandoned."),
    "dead show": (lambda: dead.show("R-1"), NO_UUID),
    "dead redrive": (lambda: changing.command(changing.REDRIVE)(["R-1"]), NO_UUID),
    "dead give-up": (lambda: changing.command(changing.GIVE_UP)(["R-1"]), NO_UUID),
    "retry": (lambda: trying.retry("R-1"), NO_UUID),
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
