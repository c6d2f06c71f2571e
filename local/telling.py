"""How the stack talks to the person before it: one line at a time, and troubles as sentences."""


class Trouble(Exception):
    """What only a person can put right: the message says what happened and what to do."""


def say(line: str) -> None:
    """Flushed, because a pipe or a log file may be listening."""
    print(line, flush=True)  # noqa: T201 (this is the one place that talks)
