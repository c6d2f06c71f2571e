"""The samples of what providers post, as bytes."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "samples"


def sample(provider: str, name: str) -> bytes:
    return (FOLDER / provider / f"{name}.json").read_bytes()


def fields(provider: str, name: str, **changed: Any) -> dict[str, Any]:
    """A sample's fields, some of them changed."""
    return {**json.loads(sample(provider, name)), **changed}


def every(provider: str) -> list[str]:
    """The names of a provider's samples of bodies."""
    return sorted(path.stem for path in (FOLDER / provider).glob("*.json") if path.name != "vectors.json")
