"""What a provider says of when to ask again, however it says it."""

import pytest

from confirmer.line import _retry_after


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("soon", None),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
    ],
)
def test_a_wish_nobody_understands_is_none(said: str | None, seconds: float | None) -> None:
    assert _retry_after(said) == seconds
