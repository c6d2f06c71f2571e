"""Writes the file with the user of the console's pages: CONSOLE_USER, with every role."""

from collections.abc import Mapping
from pathlib import Path

from local.paths import write_whole


def write(env: Mapping[str, str]) -> None:
    """Write CONSOLE_USERS_FILE with CONSOLE_USER and its password; do nothing if the person has named the users."""
    if "CONSOLE_USER" not in env:
        return
    from console.login import passwords  # noqa: PLC0415 - only a run needs Argon2, which the image of `cli` lacks

    user = f"{env['CONSOLE_USER']}:viewer,operator,auditor:{passwords.make_hash(env['CONSOLE_PASSWORD'])}\n"
    write_whole(Path(env["CONSOLE_USERS_FILE"]), user)
