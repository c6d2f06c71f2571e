"""Consoles beside a system's own, with other settings: replicas on the same broker and store."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.services import answers
from tests.actors import until
from tests.gateways import ROOT
from tests.ports import free_port

NAMES = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "CONSOLE_TOKEN",
    "CONSOLE_USERS_FILE",
    "MANAGEMENT_URLS",
    "MANAGEMENT_TOKEN",
    "MODE",
)


@contextmanager
def another_console(system: dict[str, str], **variables: str) -> Iterator[str]:
    """Run another console during the block, with the system's variables and these; yield its URL once it is live."""
    port = free_port()
    given = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(port), "MANAGEMENT_PORT": "0"}
    own = {name: system[name] for name in NAMES} | {"DATABASE_URL": system["CONSOLE_DATABASE_URL"]}
    log = Path(system["RUN_FOLDER"], f"console-{port}.log")
    with (
        log.open("w") as out,
        subprocess.Popen(
            [sys.executable, "-m", "console"], cwd=ROOT, env={**own, **given, **variables}, stderr=out
        ) as process,
    ):
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/health/live"), bool)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
