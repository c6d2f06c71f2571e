"""Choices of a run that stay the same after a restart: ports, secrets, number of partitions."""

import json
import random
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TypeVar

import msgspec

from local.paths import Paths, write_whole

T = TypeVar("T")

# Below the kernel's range of ports for outgoing connections: such a connection could take a service's port
# while the service restarts.
LOWEST, HIGHEST = 20_000, 32_000
PARTITIONS = 3
"""Partitions of each topic. On one broker, more partitions cost resources and make nothing faster."""
_claims: dict[int, socket.socket] = {}
"""The ports that this process has chosen, with the socket that tells other runs so."""


def ports(paths: Paths, names: Iterable[str], preferred: Mapping[str, int]) -> dict[str, int]:
    """Return a free port for each name: the preferred one, otherwise that of the last run, otherwise a random one.

    The ports are stored in ports.json for the next run. Until this process ends, no other run chooses them: it takes
    half a minute from here until the services listen on them.
    """
    path = paths.run / "ports.json"
    known, chosen = _load(path, int), dict[str, int]()
    for name in names:
        candidates = chain(_given(preferred, name), _given(known, name), _any())
        chosen[name] = next(port for port in candidates if port not in chosen.values() and _claim(port))
    write_whole(path, json.dumps(known | chosen, indent=2))
    return chosen


def passwords(paths: Paths, names: Iterable[str]) -> dict[str, str]:
    """Return a password for each name, generated once and stored in secrets.json, and those of earlier runs."""
    path = paths.run / "secrets.json"
    known = _load(path, str)
    missing = {name: secrets.token_hex(24) for name in names if name not in known}
    if missing:
        write_whole(path, json.dumps(known | missing, indent=2))
    return known | missing


def partitions(paths: Paths) -> int:
    """Return the number of partitions that the topics of this run have, or will be created with; store it.

    The number is stored in topics.json. A folder with a broker's data and without that file comes from a version that
    created 12.
    """
    path = paths.run / "topics.json"
    had = 12 if (paths.run / "kafka" / "log").exists() else PARTITIONS
    known = _load(path, int).get("partitions", had)
    write_whole(path, json.dumps({"partitions": known}))
    return known


def _load(path: Path, kind: type[T]) -> dict[str, T]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, kind]) if path.exists() else {}  # type: ignore[valid-type]


def _given(known: Mapping[str, int], name: str) -> list[int]:
    return [known[name]] if name in known else []


def _any() -> Iterator[int]:
    while True:
        yield random.randrange(LOWEST, HIGHEST)  # noqa: S311 (no secret)


def _claim(port: int) -> bool:
    """Return whether the port is free and no other run has chosen it; if so, keep other runs from choosing it."""
    if not _is_free(port):
        return False
    if port in _claims:
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0hookstream.port.{port}")  # an abstract name: Linux frees it with the process, however that ends
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set this option too: a port whose connections are all in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
