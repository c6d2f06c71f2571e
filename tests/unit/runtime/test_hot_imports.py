"""A running service imports nothing that only a command line, a migration or a person needs."""

import os
import subprocess
import sys

import pytest

from local.services import SERVICES, LocalService

HEAVY = (
    "alembic",
    "mako",
    "rich",
    "pygments",
    "typer",
    "click",
    "aiohttp",
    "sendria",
    "pytest",
    "hypothesis",
    "authlib",
    "joserfc",
    "cryptography",
    "runtime.faults.injection",
)
OF_HTTPX = ("rich", "pygments", "click")
"""httpx imports its own command line where that is installed: beside our own, and nowhere else."""

IMPORT = """
import importlib, sys
importlib.import_module(f"{sys.argv[1]}.__main__")
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_imports_nothing_heavy_that_it_does_not_run(service: LocalService) -> None:
    allowed = OF_HTTPX if service.name == "confirmer" else ()
    heavy = [name for name in HEAVY if name not in allowed]

    found = subprocess.run(
        [sys.executable, "-c", IMPORT, service.module, *heavy],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )

    assert found.stdout.split() == []
