"""Test vectors of signatures: published by the providers, or computed by their recipes."""

import json
from typing import Any

from tests.payloads import SAMPLES


def vectors(provider: str) -> list[dict[str, Any]]:
    """Return a provider's vectors, each with the signed bytes under `body`."""
    found: list[dict[str, Any]] = json.loads((SAMPLES / provider / "vectors.json").read_text())
    for vector in found:
        name = vector["body_file"].split(" ")[0]
        vector["body"] = (SAMPLES / provider / name).read_bytes()
    return found
