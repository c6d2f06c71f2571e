"""Modules that a running notifier does not import, to save memory."""

import subprocess
import sys

HEAVY = ("alembic", "mako", "pygments", "rich", "stream.replay.cli", "email.policy", "email.headerregistry")


def test_neither_migrations_nor_replays_nor_the_email_package_s_parser_are_imported_to_send_mails() -> None:
    imported = f"import sys, notifier.__main__; print([name for name in {HEAVY} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True)

    assert said.stdout == "[]\n"
