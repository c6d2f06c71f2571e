"""Who may log in: the setting, passwords, and limits on attempts."""

import pytest

from console.login import passwords, users

HASH = passwords.make_hash("correct horse")


def test_a_line_names_a_user_with_roles_and_hash() -> None:
    known = users.parse(f"kim:viewer:{HASH}\n\n lee:operator, auditor:{HASH}\n")

    assert known["kim"].roles == {"viewer"}
    assert known["lee"].roles == {"operator", "auditor"}


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("kim", "line 1: must"),
        (f":viewer:{HASH}", "line 1: must"),
        (f"kim:boss:{HASH}", "line 1: roles are"),
        (f"kim::{HASH}", "line 1: roles are"),
        ("kim:viewer:secret", "line 1: the last field"),
        (f"kim:viewer:{HASH}\nkim:viewer:{HASH}", "line 2: kim is there twice"),
    ],
)
def test_a_wrong_line_is_named_without_its_hash(setting: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        users.parse(setting)

    assert "secret" not in str(raised.value)
    assert HASH not in str(raised.value)


def test_only_the_right_password_of_a_known_user_logs_in() -> None:
    known = users.parse(f"kim:viewer:{HASH}")

    assert users.authenticate(known, "kim", "correct horse") == known["kim"]
    assert users.authenticate(known, "kim", "correct horsf") is None
    assert users.authenticate(known, "nobody", "correct horse") is None


def test_a_short_password_gets_no_hash() -> None:
    with pytest.raises(ValueError, match="8 characters"):
        passwords.make_hash("short")
