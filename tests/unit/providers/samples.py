"""The samples of the bodies that providers post, by their names without `.json`."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "samples"


def sample(provider: str, name: str) -> bytes:
    return (FOLDER / provider / f"{name}.json").read_bytes()


def fields(provider: str, name: str, **changed: Any) -> dict[str, Any]:
    """Return the fields of a sample, with those in `changed` replaced or added."""
    return {**json.loads(sample(provider, name)), **changed}


def every(provider: str) -> list[str]:
    """Return the names of all samples of a provider."""
    return sorted(path.stem for path in (FOLDER / provider).glob("*.json") if path.name != "vectors.json")
