"""Gateways beside a system's own, with other settings, on the same broker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from local.services import answers
from tests.actors import Shop, until
from tests.ports import free_port

ROOT = Path(__file__).parents[1]


class Gateway(NamedTuple):
    """A running gateway: a shop that posts to it, its log file, its process id."""

    shop: Shop
    log: Path
    pid: int


@contextmanager
def another_gateway(system: dict[str, str], **variables: str) -> Iterator[Gateway]:
    """Run another gateway during the block, with the system's variables and these; yield it once it is live."""
    port = free_port()
    log = Path(system["RUN_FOLDER"], f"gateway-{port}.log")
    names = ("KAFKA_BOOTSTRAP_SERVERS", "WEBHOOK_SECRET", "MODE")
    given = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(port), "MANAGEMENT_PORT": "0"}
    env = {**{name: system[name] for name in names}, **given, **variables}
    with (
        log.open("w") as out,
        subprocess.Popen([sys.executable, "-m", "gateway"], cwd=ROOT, env=env, stderr=out) as process,
    ):
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/health/live"), bool)
            yield Gateway(Shop(f"http://127.0.0.1:{port}", system["WEBHOOK_SECRET"]), log, process.pid)
        finally:
            process.terminate()
