"""Modules that the gateway must not load, as each costs memory and time at every start."""

import json
import subprocess
import sys

HEAVY = {"alembic", "aiohttp", "httpx", "jinja2", "mako", "psycopg", "pygments", "rich", "sqlalchemy", "structlog"}
PROGRAM = (
    "import gateway.__main__, json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
)


def test_the_gateway_imports_nothing_heavy_that_it_does_not_need() -> None:
    loaded = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True).stdout

    assert HEAVY & {*json.loads(loaded)} == set()
