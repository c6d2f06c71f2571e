"""Checks secrets: long enough not to be guessed, and in live mode none that is published with this project."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator

MIN_BYTES = 16
"""Signatures are checked offline and without limit by whoever has seen one; 16 bytes of chance cannot be tried out."""

ADVICE = f"must have at least {MIN_BYTES} bytes, such as those of `openssl rand -hex 32`"
_PREFIX = "whsec_"
_LOCAL = re.compile(r"local-only|bG9jYWwtb25se", re.IGNORECASE)
"""In each default secret of compose.yaml, and at the beginning of its base64."""


def separate(value: str) -> list[str]:
    """The secrets of a setting that may have several, comma-separated."""
    return [secret for part in value.split(",") if (secret := part.strip())]


def _long_enough(value: str) -> str:
    if len(value.removeprefix(_PREFIX).encode()) < MIN_BYTES:
        raise ValueError(ADVICE)
    return value


def _each_long_enough(value: str) -> str:
    for number, secret in enumerate(secrets := separate(value), 1):
        if len(secret.removeprefix(_PREFIX).encode()) < MIN_BYTES:
            which = f"secret {number} of {len(secrets)} (a comma separates them) " if "," in value else ""
            raise ValueError(which + ADVICE)
    return value


Token = Annotated[str, AfterValidator(_long_enough)]
"""One secret."""
Secrets = Annotated[str, AfterValidator(_each_long_enough)]
"""Secrets that are live at once, comma-separated; empty: none."""


def local_defaults(settings: Mapping[str, object]) -> Iterator[str]:
    """The names of settings whose values hold a secret that is published with this project."""
    yield from (name for name, value in settings.items() if isinstance(value, str) and _LOCAL.search(value))
