"""The bodies that a valid one becomes when one thing in it is wrong."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "samples"
WRONG: tuple[Any, ...] = (None, True, -1, 1.5, 2**63, 10**400, "", "x y", "\x00", "9" * 2000, [], [[]], {}, {"a": 1})
"""Values that may be given where a field expects another one."""


def sample(provider: str, name: str) -> bytes:
    return (SAMPLES / provider / f"{name}.json").read_bytes()


def samples(provider: str, *beginnings: str) -> list[str]:
    """Return the names, without `.json`, of a provider's samples that start with one of `beginnings`, or of all."""
    return sorted(path.stem for path in (SAMPLES / provider).glob("*.json") if path.name.startswith(beginnings or ""))


def mutations(raw: bytes) -> Iterator[bytes]:
    """Yield the body with each field left out, and with each value of WRONG in its place.

    Then yield the body with its first field given twice, with deep nesting, and cut off at about 50 places.
    """
    whole = json.loads(raw)
    for way in _ways(whole):
        yield _written(_without(whole, way))
        for wrong in WRONG:
            yield _written(_with(whole, way, wrong))
    text = raw.decode().strip()
    name, value = next(iter(whole.items()))
    yield f"{text[:-1]}, {json.dumps(name)}: {json.dumps(value)}}}".encode()
    yield f'{text[:-1]}, "deep": {"[" * 2000}{"]" * 2000}}}'.encode()
    yield f'{text[:-1]}, "deep": {"[" * 100_000}'.encode()
    yield from (raw[:at] for at in range(0, len(raw), max(1, len(raw) // 50)))


def _ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield (*way, name)
        yield from _ways(part, (*way, name))


def _without(whole: Any, way: tuple[Any, ...]) -> Any:
    changed, at = _parent(whole, way)
    del at[way[-1]]
    return changed


def _with(whole: Any, way: tuple[Any, ...], wrong: Any) -> Any:
    changed, at = _parent(whole, way)
    at[way[-1]] = wrong
    return changed


def _parent(whole: Any, way: tuple[Any, ...]) -> tuple[Any, Any]:
    changed = at = copy.deepcopy(whole)
    for name in way[:-1]:
        at = at[name]
    return changed, at


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
