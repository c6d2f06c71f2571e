"""Token buckets, single and by key in bounded memory. Rates are tokens a second; times are seconds of a steady clock.

A keyed bucket is stored as one number: the time at which it is full again.
"""

from collections import OrderedDict
from hashlib import blake2b
from typing import Protocol

MAX_KEYS = 50_000
"""Default of `max_keys`: about 10 MB of memory."""

EARLY_S = 1e-9
"""A wait up to this counts as none: rounding errors of float sums stay below."""

SETS, WAYS = 65_536, 4
SALT_BYTES, SLOT_BYTES = 16, 8
SHARED_BYTES = SALT_BYTES + 2 * SETS * WAYS * SLOT_BYTES
"""The size of the memory that `SharedBuckets` needs; its first SALT_BYTES must be random, the others 0."""


class Buckets(Protocol):
    """A token bucket for each key."""

    def take(self, key: str, now: float, cost: float = 1) -> float:
        """Take `cost` tokens of this key and return 0; if there are fewer, take none and return the seconds to wait.

        A `cost` above the burst is never granted, however long the caller waits.
        """


class TokenBucket:
    """Holds at most `burst` tokens and gains `rate` tokens a second."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._updated_at = 0.0

    def take(self, now: float, cost: float = 1) -> float:
        """Take `cost` tokens and return 0; if there are fewer, take none and return the seconds to wait.

        A `cost` above the burst is never granted, however long the caller waits.
        """
        self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._rate)
        self._updated_at = now
        if self._tokens >= cost:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self._rate


class LocalBuckets:
    """Buckets in the memory of this process, at most `max_keys`.

    Beyond that, the least recently used bucket is dropped; its key starts with a full bucket again.
    """

    def __init__(self, rate: float, burst: float, max_keys: int = MAX_KEYS) -> None:
        self._rate = rate
        self._burst = burst
        self._max_keys = max_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now: float, cost: float = 1) -> float:
        full_at = max(self._full_at.get(key, now), now)
        if (wait := full_at + (cost - self._burst) / self._rate - now) > EARLY_S:
            return wait
        self._full_at[key] = full_at + cost / self._rate
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._max_keys:
            self._full_at.popitem(last=False)
        return 0.0


class SharedBuckets:
    """Buckets shared by several processes, in `memory` of SHARED_BYTES: a set-associative cache.

    A key uses one of the WAYS slots of its set: the slot with its tag, else the slot that is full soonest. `kind`
    separates the keys of different limits. There is no lock, so two processes that take at the same moment may let one
    request more through.
    """

    def __init__(self, memory: memoryview, kind: str, rate: float, burst: float) -> None:
        slots = memory[SALT_BYTES:SHARED_BYTES]
        half = len(slots) // 2
        self._salt = bytes(memory[:SALT_BYTES])
        self._tags = slots[:half].cast("Q")
        self._full_at = slots[half:].cast("d")
        self._kind = kind
        self._rate = rate
        self._burst = burst

    def take(self, key: str, now: float, cost: float = 1) -> float:
        digest = blake2b(f"{self._kind}\n{key}".encode(), key=self._salt, digest_size=16).digest()
        tag = int.from_bytes(digest[:8], "big") or 1
        begin = int.from_bytes(digest[8:], "big") % SETS * WAYS
        ways = range(begin, begin + WAYS)
        slot = next((way for way in ways if self._tags[way] == tag), None)
        full_at = max(self._full_at[slot] if slot is not None else now, now)
        if (wait := full_at + (cost - self._burst) / self._rate - now) > EARLY_S:
            return wait
        if slot is None:
            slot = min(ways, key=self._full_at.__getitem__)
            self._tags[slot] = tag
        self._full_at[slot] = full_at + cost / self._rate
        return 0.0
