"""Where the system is: the environment says so, or else the run of this checkout, in `.run/env`."""

import os
from collections.abc import Mapping
from pathlib import Path

from local import environment
from local.place import Place
from local.telling import Trouble

ROOT = Path(__file__).parent.parent


def read() -> dict[str, str]:
    """What `.run/env` says, unless the process's own environment says otherwise."""
    run = environment.read(Place(ROOT, ROOT / ".run"))
    return run | {name: value for name, value in os.environ.items() if value}


def need(env: Mapping[str, str], *names: str) -> None:
    """Raises Trouble when one of these is not known."""
    missing = sorted(name for name in names if not env.get(name))
    if missing:
        raise Trouble(f"Nothing runs here: start it with `make run`, or set {', '.join(missing)}.")
