"""Token buckets by key: a rate in requests a second, a burst above it, bounded memory.

A bucket is one time: that at which it is full again. Times are seconds of any steady clock.
"""

from collections import OrderedDict
from hashlib import blake2b
from typing import Protocol

MAX_KEYS = 50_000
"""Keys that are remembered; about 10 MB. Who was not seen for longest is forgotten, and has a full bucket again."""

EARLY_S = 1e-9
"""Sums of floats miss a whole token by less than this."""

SETS, WAYS = 65_536, 4
SALT_BYTES, SLOT_BYTES = 16, 8
SHARED_BYTES = SALT_BYTES + 2 * SETS * WAYS * SLOT_BYTES
"""The size of the memory that `SharedBuckets` needs; it begins with random bytes."""


class Buckets(Protocol):
    """A bucket for each key."""

    def take(self, key: str, now: float, cost: float = 1) -> float:
        """Take `cost` tokens of this key: 0 when there were as many, else the seconds until there will be."""


class TokenBucket:
    """Holds at most `burst` tokens and gains `rate` a second."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float, cost: float = 1) -> float:
        """Take `cost` tokens: 0 when there were as many, else the seconds until there will be."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= cost:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self._rate


class OwnBuckets:
    """Buckets of this process. The key that was not seen for longest is forgotten beyond `max_keys`."""

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
    """Buckets of several processes in `memory`, which is SHARED_BYTES long and shared by them.

    A key has one of the WAYS slots of its set: the one with its tag, else the one that is full soonest. `kind` keeps
    keys of different limits apart. There is no lock: two processes that take at the same moment may let one request
    more through.
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
