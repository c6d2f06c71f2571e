"""Chooses the user and the folder of Postgres, which refuses to run as root and whose user must reach the folder."""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from local.messages import CommandError

FALLBACK = Path("/var/tmp")  # noqa: S108 (survives a reboot; we create each folder in it, for one user)


def unprivileged_user() -> str:
    """Return the user to run Postgres as when this process is root; otherwise an empty string, for the current user."""
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def can_enter(user: str, folder: Path) -> bool:
    """Return whether a user can enter a folder, by trying as that user: permissions, groups and ACLs all matter.

    Only root can call it.
    """
    entry = pwd.getpwnam(user)
    answer = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0"', folder],
        cwd="/",
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=os.getgrouplist(user, entry.pw_gid),
        check=False,
    )
    return answer.returncode == 0


def home(folder: Path, user: str) -> Path:
    """Create `folder`, private to the user, and return it.

    If the user cannot reach it, create and return a folder in /var/tmp, to which `folder` becomes a link. Raises
    CommandError when that folder belongs to another user.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not user or can_enter(user, folder.parent):
        folder.mkdir(exist_ok=True)
        _make_private(folder, user)
        return folder
    if not folder.is_symlink() or not folder.exists():
        _move_out(folder, user)
    return folder.resolve()


def remove(folder: Path) -> None:
    """Delete the link that `home` may have made of `folder`, and the folder it leads to; keep a real folder.

    Call `remove` before deleting the parent folder.
    """
    if folder.is_symlink():
        shutil.rmtree(folder.resolve(), ignore_errors=True)
        folder.unlink()


def chown_tree(folder: Path, user: str) -> None:
    """Change the owner of a folder and of everything in it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            shutil.chown(path, user)


def _move_out(folder: Path, user: str) -> None:
    fallback = FALLBACK / f"hookstream-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    # No link leads to it, so it belonged to an earlier checkout at this path, whose passwords are gone.
    shutil.rmtree(fallback, ignore_errors=True)
    try:
        fallback.mkdir(mode=0o700)
    except FileExistsError:
        raise CommandError(f"{fallback} exists and belongs to another user. Remove it, then start again.") from None
    _make_private(fallback, user)
    folder.unlink(missing_ok=True)
    folder.symlink_to(fallback)


def _make_private(folder: Path, user: str) -> None:
    folder.chmod(0o700)
    if user:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
