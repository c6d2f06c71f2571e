"""The signatures that providers publish, or that follow from their recipes, beside the sample payloads."""

import json
from typing import Any

from tests.payloads import SAMPLES


def vectors(provider: str) -> list[dict[str, Any]]:
    """A provider's vectors, each with the bytes it signs under `body`."""
    found: list[dict[str, Any]] = json.loads((SAMPLES / provider / "vectors.json").read_text())
    for vector in found:
        name = vector["body_file"].split(" ")[0]
        vector["body"] = (SAMPLES / provider / name).read_bytes()
    return found
