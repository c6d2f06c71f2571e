"""Where the system is: the environment says so, or else the run of this checkout, in `.run/env`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local import environment
from local.place import Place
from local.telling import Trouble

if TYPE_CHECKING:
    from stream.client_config import Cluster

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


def cluster(env: Mapping[str, str]) -> "Cluster":
    """The Kafka cluster of these variables.

    Raises Trouble when one of its settings cannot be used.
    """
    from stream.client_config import Cluster

    try:
        return Cluster.of_environment(env, "cli")
    except ValueError as wrong:
        raise Trouble(str(wrong)) from wrong
    except OSError as wrong:
        raise Trouble(f"{wrong.filename}, which cannot be read ({wrong.strerror})") from wrong


def adopt_topic_prefix() -> None:
    """Start this program again with the TOPIC_PREFIX of the checkout's run: topics take their names when imported."""
    prefix = read().get("TOPIC_PREFIX", "")
    if prefix and "TOPIC_PREFIX" not in os.environ:
        os.environ["TOPIC_PREFIX"] = prefix
        os.execv(sys.executable, [sys.executable, "-m", "cli", *sys.argv[1:]])  # noqa: S606 - this program itself
