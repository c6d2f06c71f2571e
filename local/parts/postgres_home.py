"""Where Postgres may live: it refuses to run as root, so it needs a user and a folder that user can reach."""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from local.messages import Trouble

ELSEWHERE = Path("/var/tmp")  # noqa: S108 (survives a reboot; each folder below is made by us, for one user)


def tenant() -> str:
    """The unprivileged user to run as when we are root, else nobody in particular: ourselves."""
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def can_enter(user: str, folder: Path) -> bool:
    """Asked as that user, because permissions, groups and access lists all have a say."""
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
    """The folder itself where the user can reach it; else one in /var/tmp, with a link in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not user or can_enter(user, folder.parent):
        folder.mkdir(exist_ok=True)
        _own(folder, user)
        return folder
    if not folder.is_symlink() or not folder.exists():
        _move_out(folder, user)
    return folder.resolve()


def forget(folder: Path) -> None:
    """Removes what is elsewhere, for whoever throws away the folder with the link."""
    if folder.is_symlink():
        shutil.rmtree(folder.resolve(), ignore_errors=True)
        folder.unlink()


def hand_over(folder: Path, user: str) -> None:
    """With all that is in it, whatever the umask made of it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            shutil.chown(path, user)


def _move_out(folder: Path, user: str) -> None:
    refuge = ELSEWHERE / f"hookstream-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    # No link leads to it: it was another checkout's, at the same path, and its passwords are gone.
    shutil.rmtree(refuge, ignore_errors=True)
    try:
        refuge.mkdir(mode=0o700)
    except FileExistsError:
        raise Trouble(f"{refuge} is in the way and not ours: remove it, then start again.") from None
    _own(refuge, user)
    folder.unlink(missing_ok=True)
    folder.symlink_to(refuge)


def _own(folder: Path, user: str) -> None:
    folder.chmod(0o700)
    if user:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
