"""Runs a command that ends with its parent: `launcher.py SIGNAL PARENT_PID USER COMMAND...`.

The launcher is a separate script, because code between fork and exec may deadlock in a parent with threads. The command
replaces the launcher with exec, so the process id stays the one that the parent knows.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    """Change this process, which must be root's, to a user, with that user's groups."""
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def die_with_parent(death_signal: int, parent: int) -> None:
    """Let the kernel send `death_signal` when the parent dies (Linux only); exit if it is dead already.

    Call `become` first, because it resets this.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("The parent process has already ended.")


def main() -> None:
    death_signal, parent, user, *command = sys.argv[1:]
    if user:
        become(user)
    die_with_parent(int(death_signal), int(parent))
    # Python ignores these two signals, and exec would pass that on to the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 (without a shell)


if __name__ == "__main__":
    main()
