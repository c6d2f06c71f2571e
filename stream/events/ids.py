"""Deterministic ids: every way of doing something again yields the same id.

Each is a UUIDv5 (RFC 9562 §5.5) as text. It is spelled out here because `uuid.uuid5` costs ten times the digest itself,
on the gateway's hot path; a test holds it against the standard library.
"""

from hashlib import sha1, sha256

import msgspec

from stream.events import DeadRecord, Notice, Outcome, RejectedWebhook

NAMESPACE = bytes.fromhex("6ec9a1f20d4b5c0e9a35b7c2f1de8a44")
_canonical = msgspec.json.Encoder(order="deterministic")


def uuid5(name: str) -> str:
    """The UUIDv5 of `name` in hookstream's namespace."""
    raw = sha1(NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(raw[16], 16) & 3]
    return f"{raw[:8]}-{raw[8:12]}-5{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:32]}"


def digest(notice: Notice) -> bytes:
    """SHA-256 of the canonical fields: the same id with another digest is a conflict."""
    return sha256(_canonical.encode(notice)).digest()


def event_id(provider: str, mode: str, provider_event_id: str) -> str:
    """The id of a webhook: by the provider's own event id, or the digest of its canonical fields in hex."""
    return uuid5(f"event\n{provider}\n{mode}\n{provider_event_id}")


def key_id(provider: str, mode: str, path: str, key: str) -> str:
    """The id of a sender's Idempotency-Key on one path."""
    return uuid5(f"key\n{provider}\n{mode}\n{path}\n{key}")


def receipt_id(provider: str, body: bytes, received_at: int) -> str:
    """The id of a webhook that says nothing sure: of this delivery, for the same body may tell of another change."""
    return uuid5(f"receipt\n{provider}\n{sha256(body).hexdigest()}\n{received_at}")


def fact_id(fact: str, *key: str) -> str:
    """The id of a domain event. Two webhooks that tell one fact yield one domain event."""
    return uuid5("\n".join(("fact", fact, *key)))


def notification_id(fact: str, audience: str, channel: str) -> str:
    """The id of one message to one audience about the fact with id `fact`."""
    return uuid5(f"notification\n{fact}\n{audience}\n{channel}")


def outcome_id(told: Outcome) -> str:
    """The id of what a service said of a record, by when it said so: a redriven record fails its first try twice."""
    return uuid5(f"outcome\n{_stood(told)}\n{told.outcome}\n{told.attempt}\n{told.at}")


def dead_letter_id(letter: DeadRecord) -> str:
    """The id of a dead letter: a redriven record may die again."""
    return uuid5(f"dead\n{_stood(letter)}\n{letter.at}")


def rejection_id(refused: RejectedWebhook) -> str:
    """The id of a refused request: of this one, for the next that is refused alike is another."""
    name = (refused.provider, refused.path, refused.cause, refused.digest.hex(), str(refused.received_at))
    return uuid5("\n".join(("rejection", *name)))


def _stood(trace: Outcome | DeadRecord) -> str:
    return f"{trace.service}\n{trace.event_id}\n{trace.topic}\n{trace.partition}\n{trace.offset}"


def unreadable_record_id(topic: str, partition: int, offset: int) -> str:
    """The id of a record nobody can decode: where it stands."""
    return uuid5(f"record\n{topic}\n{partition}\n{offset}")


def unreadable_body_id(provider: str, body: bytes) -> str:
    """The id of a genuine webhook nobody can read: what it says."""
    return uuid5(f"body\n{provider}\n{sha256(body).hexdigest()}")
