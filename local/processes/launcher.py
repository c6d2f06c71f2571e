"""Becomes a command that cannot outlive its starter: `leash.py SIGNAL STARTER USER COMMAND...`.

A script of its own, because the other way, code between fork and exec, may deadlock in a starter with
threads. The command replaces it, so the process id is the one the starter knows.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def tie(death_signal: int, starter: int) -> None:
    """After `become`: the kernel forgets the signal when the user changes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != starter:
        sys.exit("The starter is gone already.")


def main() -> None:
    death_signal, starter, user, *command = sys.argv[1:]
    if user:
        become(user)
    tie(int(death_signal), int(starter))
    # Python ignores these two, and what is ignored stays so in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 (no shell is what we want)


if __name__ == "__main__":
    main()
