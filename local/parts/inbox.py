"""Starts sendria, a mail server that stores every mail and shows them on a web page."""

import sys
from pathlib import Path

from local.environment import HOST, StackSettings
from local.paths import private
from local.processes.process import Program
from local.processes.supervisor import Supervisor
from local.services import answers


def start(supervisor: Supervisor, settings: StackSettings) -> None:
    """Start the inbox and wait until it is ready, unless SMTP_URL and INBOX_URL are given.

    Raises CommandError when the inbox does not start.
    """
    if not settings.own_inbox:
        return
    supervisor.wait(supervisor.start(_program(settings)))


def _program(settings: StackSettings) -> Program:
    home, port = private(settings.paths.run / "inbox"), settings.port
    smtp = ("--smtp-ip", HOST, "--smtp-port", str(port["smtp"]))
    page = ("--http-ip", HOST, "--http-port", str(port["inbox"]), "--no-quit")
    return Program(
        name="inbox",
        argv=(str(Path(sys.executable).with_name("sendria")), "-f", "-s", str(home / "inbox.sqlite"), *smtp, *page),
        cwd=home,
        ready=lambda: answers(f"http://{HOST}:{port['inbox']}/api/messages/"),
    )
