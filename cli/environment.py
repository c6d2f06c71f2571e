"""Where the system is: the environment says so, or else the run of this checkout, in `.run/env`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local import environment
from local.messages import Trouble
from local.paths import Paths

if TYPE_CHECKING:
    from runtime.config.settings import Mode
    from stream.avro.registry import Registry
    from stream.avro.registry_client import RegistryClient
    from stream.kafka.client_config import Cluster

ROOT = Path(__file__).parent.parent


def read() -> dict[str, str]:
    """Return the settings: files in SECRETS_DIR, then the process's environment, then `.run/env`."""
    run = environment.read(Paths(ROOT, ROOT / ".run"))
    return run | {name: value for name, value in os.environ.items() if value} | _secrets()


def _secrets() -> dict[str, str]:
    """The files in SECRETS_DIR that are named as variables.

    Raises Trouble when one cannot be read.
    """
    folder = os.environ.get("SECRETS_DIR")
    files = [one for one in Path(folder).iterdir() if one.is_file() and one.name.isupper()] if folder else []
    try:
        return {one.name: one.read_text().strip() for one in files}
    except OSError as wrong:
        raise Trouble(f"{wrong.filename} in SECRETS_DIR cannot be read ({wrong.strerror})") from wrong


def need(env: Mapping[str, str], *names: str) -> None:
    """Raises Trouble when one of these is not known."""
    missing = sorted(name for name in names if not env.get(name))
    if missing:
        raise Trouble(f"Nothing runs here: start it with `make run`, or set {', '.join(missing)}.")


def cluster(env: Mapping[str, str]) -> "Cluster":
    """The Kafka cluster of these variables.

    Raises Trouble when one of its settings cannot be used.
    """
    from stream.kafka.client_config import Cluster

    try:
        return Cluster.of_environment(env, "cli")
    except ValueError as wrong:
        raise Trouble(str(wrong)) from wrong
    except OSError as wrong:
        raise Trouble(f"{wrong.filename}, which cannot be read ({wrong.strerror})") from wrong


def replication(env: Mapping[str, str], asked: int | None) -> tuple["Mode", int | None]:
    """The mode of this system, and the copies its topics should have.

    Raises Trouble when a setting is none.
    """
    mode, copies = env.get("MODE", "live"), env.get("TOPIC_REPLICATION", "")
    if mode not in ("live", "test"):
        raise Trouble("MODE must be live or test.")
    if copies and not (copies.isdecimal() and int(copies)):
        raise Trouble("TOPIC_REPLICATION must be a number of copies, such as 3.")
    return "live" if mode == "live" else "test", asked or (int(copies) if copies else None)


def registry(env: Mapping[str, str]) -> "Registry":
    """Where schemas are looked up by these variables.

    Raises Trouble when one of its settings cannot be used.
    """
    from stream.avro.registry import registry_of_environment

    try:
        return registry_of_environment(env)
    except (ValueError, OSError) as wrong:
        raise Trouble(f"The schema registry cannot be used: {wrong}") from wrong


def registry_client(env: Mapping[str, str]) -> "RegistryClient":
    """The client of the registry that SCHEMA_REGISTRY_URL names.

    Raises Trouble when it names none, or a setting cannot be used.
    """
    from stream.avro.registry import client_of_environment

    need(env, "SCHEMA_REGISTRY_URL")
    try:
        client = client_of_environment(env)
    except (ValueError, OSError) as wrong:
        raise Trouble(f"The schema registry cannot be used: {wrong}") from wrong
    if client is None:
        raise Trouble("Set SCHEMA_REGISTRY_URL to the registry.")
    return client


def adopt_topic_settings() -> None:
    """Start this program again with the topics' prefix and partitions of the checkout's run, where it asks its broker.

    Topics are constants that take both when they are imported.
    """
    run = environment.read(Paths(ROOT, ROOT / ".run"))
    broker = run.get("KAFKA_BOOTSTRAP_SERVERS")
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS", broker) != broker:
        return
    adopted = {name: run[name] for name in ("TOPIC_PREFIX", "TOPIC_PARTITIONS") if run.get(name)}
    if missing := {name: value for name, value in adopted.items() if name not in os.environ}:
        os.environ.update(missing)
        os.execv(sys.executable, [sys.executable, "-m", "cli", *sys.argv[1:]])  # noqa: S606 - this program itself
