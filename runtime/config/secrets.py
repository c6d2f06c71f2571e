"""Checks secrets: long enough not to be guessed, and in live mode none of those published with this project."""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator

MIN_BYTES = 16
"""Minimum length of a secret, without its prefix. Anybody who has one signed webhook can try shorter ones offline."""

ADVICE = f"must have at least {MIN_BYTES} bytes, such as those of `openssl rand -hex 32`"
_PREFIX = "whsec_"
"""The prefix of secrets of Standard Webhooks, which is not secret."""
_LOCAL = re.compile(r"local-only|bG9jYWwtb25se", re.IGNORECASE)
"""Matches each secret published in compose.yaml, as it is or in base64."""


def separate(value: str) -> list[str]:
    """Return the comma-separated secrets of a setting, without empty ones and blanks around them."""
    return [secret for part in value.split(",") if (secret := part.strip())]


def fingerprint(secret: bytes) -> str:
    """Return the first 8 hex digits of the secret's SHA-256: enough to tell secrets apart, too few to find one."""
    return sha256(secret).hexdigest()[:8]


def _long_enough(value: str) -> str:
    if len(value.removeprefix(_PREFIX).encode()) < MIN_BYTES:
        raise ValueError(ADVICE)
    return value


def _each_long_enough(value: str) -> str:
    for number, secret in enumerate(secrets := separate(value), 1):
        if len(secret.removeprefix(_PREFIX).encode()) < MIN_BYTES:
            prefix = f"secret {number} of {len(secrets)} (a comma separates them) " if "," in value else ""
            raise ValueError(prefix + ADVICE)
    return value


Token = Annotated[str, AfterValidator(_long_enough)]
"""A setting: one secret of at least MIN_BYTES."""
Secrets = Annotated[str, AfterValidator(_each_long_enough)]
"""A setting: comma-separated secrets of at least MIN_BYTES each, all of them valid; empty: none."""


def local_defaults(settings: Mapping[str, object]) -> Iterator[str]:
    """Yield the names of those settings whose text contains a secret that compose.yaml publishes (`local-only…`).

    A secret in base64 is found too. Values that are no text are not searched.
    """
    yield from (name for name, value in settings.items() if isinstance(value, str) and _LOCAL.search(value))
