"""Compares signatures and tokens in a time that does not reveal which pair matched."""

import hmac
from collections.abc import Iterable, Sequence


def any_equal(expected: Iterable[bytes], given: Sequence[bytes]) -> bool:
    """Return whether any value of `given` is in `expected`; False if either is empty. All pairs are compared."""
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    return any(matches)
