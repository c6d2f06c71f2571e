"""Settings of the command line, from SECRETS_DIR, the environment, and `.run/env` of this checkout's local system."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local import environment
from local.messages import CommandError
from local.paths import Paths

if TYPE_CHECKING:
    from runtime.config.settings import Mode
    from stream.avro.registry import Registry
    from stream.avro.registry_client import RegistryClient
    from stream.avro.schemas import Schema
    from stream.kafka.cluster import Cluster

ROOT = Path(__file__).parent.parent
"""The folder of this checkout."""


def read() -> dict[str, str]:
    """Return the settings by variable. Files in SECRETS_DIR win over the environment, which wins over `.run/env`.

    Empty variables of the environment do not count. Raises CommandError when SECRETS_DIR or its files cannot be read.
    """
    run = environment.read(Paths(ROOT, ROOT / ".run"))
    return run | {name: value for name, value in os.environ.items() if value} | _secrets()


def _secrets() -> dict[str, str]:
    """Return the files in SECRETS_DIR whose names are upper case, as variables.

    Raises CommandError when the folder or a file cannot be read.
    """
    folder = os.environ.get("SECRETS_DIR")
    try:
        files = [file for file in Path(folder).iterdir() if file.is_file() and file.name.isupper()] if folder else []
        return {file.name: file.read_text().strip() for file in files}
    except OSError as wrong:
        raise CommandError(f"SECRETS_DIR: {wrong.filename} cannot be read ({wrong.strerror}).") from wrong


def require(env: Mapping[str, str], *names: str) -> None:
    """Raise CommandError, which names the variables, when any of `names` is missing or empty in `env`."""
    missing = sorted(name for name in names if not env.get(name))
    if missing:
        raise CommandError(f"No system runs here: start it with `make run`, or set {', '.join(missing)}.")


def cluster(env: Mapping[str, str]) -> "Cluster":
    """Return the Kafka cluster that these variables name, without connecting to it.

    Raises CommandError when a setting is wrong or a file it names cannot be read.
    """
    from stream.kafka.cluster import Cluster

    try:
        return Cluster.of_environment(env, "cli")
    except ValueError as wrong:
        raise CommandError(str(wrong)) from wrong
    except OSError as wrong:
        raise CommandError(f"{wrong}.") from wrong


def mode(env: Mapping[str, str]) -> "Mode":
    """Return the mode of this system. Raises CommandError when MODE is wrong."""
    from runtime.config.settings import DEFAULT_MODE

    match env.get("MODE", DEFAULT_MODE):
        case "live" | "test" as known:
            return known
        case _:
            raise CommandError("MODE must be live or test.")


def replication(env: Mapping[str, str], option: int | None) -> tuple["Mode", int | None]:
    """Return the mode of this system, and the number of copies that each record must have.

    The number is `option` (the value of --replication), else TOPIC_REPLICATION, else None, which stands for the
    default of the mode. Raises CommandError when MODE or TOPIC_REPLICATION is wrong.
    """
    copies = env.get("TOPIC_REPLICATION", "")
    if copies and not (copies.isdecimal() and int(copies)):
        raise CommandError("TOPIC_REPLICATION must be a number of copies, such as 3.")
    return mode(env), option or (int(copies) if copies else None)


class _CheckedRegistry:
    """A registry whose failures are CommandErrors, so that no command ends with a traceback while it is away."""

    def __init__(self, registry: "Registry") -> None:
        self._registry = registry

    def id_of(self, subject: str) -> int:
        with _failures():
            return self._registry.id_of(subject)

    def schema_of(self, schema_id: int) -> "Schema":
        with _failures():
            return self._registry.schema_of(schema_id)


@contextmanager
def _failures() -> Iterator[None]:
    """Raise CommandError if the block fails with a RegistryError."""
    from stream.avro.registry_client import RegistryError

    try:
        yield
    except RegistryError as failure:
        raise CommandError(str(failure)) from failure


def registry(env: Mapping[str, str]) -> "Registry":
    """Return the schema registry at SCHEMA_REGISTRY_URL, or the committed `registry.json` when that is not set.

    Raises CommandError when a setting is wrong; so does the registry itself, later, when it fails.
    """
    from stream.avro.registry import registry_of_environment

    try:
        return _CheckedRegistry(registry_of_environment(env))
    except (ValueError, OSError) as wrong:
        raise CommandError(f"The schema registry cannot be used: {wrong}") from wrong


def registry_client(env: Mapping[str, str]) -> "RegistryClient":
    """Return a client of the schema registry at SCHEMA_REGISTRY_URL.

    Raises CommandError when it is not set, or a setting is wrong.
    """
    from stream.avro.registry import client_of_environment

    require(env, "SCHEMA_REGISTRY_URL")
    try:
        client = client_of_environment(env)
    except (ValueError, OSError) as wrong:
        raise CommandError(f"The schema registry cannot be used: {wrong}") from wrong
    if client is None:
        raise CommandError("Set SCHEMA_REGISTRY_URL to the URL of the registry.")
    return client


def inherit_topic_settings() -> None:
    """Restart this program with TOPIC_PREFIX and TOPIC_PARTITIONS of this checkout's local system.

    Return without a restart when no such system runs, KAFKA_BOOTSTRAP_SERVERS names another broker, or both variables
    are set already. Topics are constants that read both variables at import.
    """
    run = environment.read(Paths(ROOT, ROOT / ".run"))
    broker = run.get("KAFKA_BOOTSTRAP_SERVERS")
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS", broker) != broker:
        return
    inherited = {name: run[name] for name in ("TOPIC_PREFIX", "TOPIC_PARTITIONS") if run.get(name)}
    if missing := {name: value for name, value in inherited.items() if name not in os.environ}:
        os.environ.update(missing)
        # As it was started: `-m` would import modules from the current directory, whoever has put them there.
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this program itself
