"""Hashes and checks passwords with Argon2id."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The least that OWASP's password storage cheat sheet recommends: 19 MiB, so that two checks at once fit a container.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
MIN_LENGTH = 8
UNKNOWN_USER = _HASHER.hash("the password of nobody")
"""A hash to check for an unknown user, so that the answer takes as long as for a known one."""


def make_hash(password: str) -> str:
    """Return a salted Argon2id hash. Raises ValueError for a password shorter than MIN_LENGTH characters."""
    if len(password) < MIN_LENGTH:
        raise ValueError(f"a password has at least {MIN_LENGTH} characters")
    return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Return whether `password` has this hash; False if `password_hash` is no hash."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_hash(text: str) -> bool:
    """Return whether a text is an Argon2 hash with readable parameters."""
    try:
        _HASHER.check_needs_rehash(text)
    except InvalidHashError:
        return False
    return True
