"""When a failed event is tried again, and how often: exponential back-off with jitter. Pure.

The first wait is the setting RETRY_FIRST_S; `stream.worker.retries` retries, `stream.store.retrying` has the table.
"""

from hashlib import sha256

from runtime.timing.backoff import Backoff

MAX_RETRIES = 5
"""Retries after the first attempt; when the last of them fails, the event is dead (contract E)."""
FACTOR = 4
"""Each wait between two attempts is this many times the one before it."""
JITTER = 0.25
"""The most by which a wait is lengthened, as a share of it."""


def next_attempt(attempts: int) -> int:
    """Return the number of the attempt that follows `attempts` attempts: one more, but at most MAX_RETRIES + 1.

    An event that an operator retries for the last time has MAX_RETRIES + 1 attempts before and after that retry.
    """
    return min(attempts, MAX_RETRIES) + 1


def wait_s(event_id: str, attempts: int, first_wait_s: float) -> float:
    """Return the seconds from failed attempt number `attempts` to the next.

    The wait is `first_wait_s` after the first attempt, and grows by FACTOR with each. The jitter adds up to JITTER of
    the wait and is derived from the event's id, so that events that failed together are not retried together.
    """
    fraction = int.from_bytes(sha256(f"{event_id} {attempts}".encode()).digest()[:4], "big") / 2**32
    return Backoff(first_wait_s, factor=FACTOR).wait_s(attempts) * (1 + JITTER * fraction)
