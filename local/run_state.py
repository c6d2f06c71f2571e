"""What a run decides once and remembers: its ports and its secrets, the same again after a restart."""

import json
import random
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from local.paths import Paths, write_whole

# Below the range from which the kernel takes the ports of outgoing connections: one of those could sit
# on a service's port while the service restarts.
LOWEST, HIGHEST = 20_000, 32_000
PARTITIONS = 3
"""On one broker that one machine shares with everything else, each partition costs and none makes anything faster."""


def ports(place: Paths, names: Iterable[str], wished: Mapping[str, int]) -> dict[str, int]:
    """For each name the wished port when free, else last time's when free, else any free one."""
    path = place.run / "ports.json"
    known, chosen = _load(path), dict[str, int]()
    for name in names:
        candidates = chain(_given(wished, name), _given(known, name), _any())
        chosen[name] = next(port for port in candidates if port not in chosen.values() and _is_free(port))
    write_whole(path, json.dumps(known | chosen, indent=2))
    return chosen


def passwords(place: Paths, names: Iterable[str]) -> dict[str, str]:
    path = place.run / "secrets.json"
    known = _load(path)
    missing = {name: secrets.token_hex(24) for name in names if name not in known}
    if missing:
        write_whole(path, json.dumps(known | missing, indent=2))
    return known | missing


def partitions(place: Paths) -> int:
    """The number of partitions that the topics of this run have, or are to be created with.

    A folder that does not say so and has a broker's data is of a version that created 12.
    """
    path = place.run / "topics.json"
    had = 12 if (place.run / "kafka" / "log").exists() else PARTITIONS
    known = _load(path).get("partitions", had)
    write_whole(path, json.dumps({"partitions": known}))
    return int(known)


def _load(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _given(known: Mapping[str, int], name: str) -> list[int]:
    return [known[name]] if name in known else []


def _any() -> Iterator[int]:
    while True:
        yield random.randrange(LOWEST, HIGHEST)  # noqa: S311 (no secret)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port with only dying connections on it is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
