"""Deterministic ids: processing the same input again yields the same id. Times in ids are microseconds since 1970 UTC.

Each id is a UUIDv5 (RFC 9562 §5.5) as text. It is implemented here because `uuid.uuid5` costs ten times the digest
itself, on the gateway's hot path; a test compares it with the standard library.
"""

from hashlib import sha1, sha256

import msgspec

from stream.events import ConsoleAction, DeadRecord, EventId, Outcome, Payload, RejectedWebhook

NAMESPACE = bytes.fromhex("6ec9a1f20d4b5c0e9a35b7c2f1de8a44")
_canonical = msgspec.json.Encoder(order="deterministic")


def uuid5(name: str) -> str:
    """Return the UUIDv5 of `name` in hookstream's namespace."""
    raw = sha1(NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(raw[16], 16) & 3]
    return f"{raw[:8]}-{raw[8:12]}-5{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:32]}"


def digest(payload: Payload) -> bytes:
    """Return the SHA-256 of the payload's fields; two webhooks with one id and different digests are a conflict."""
    return sha256(_canonical.encode(payload)).digest()


def event_id(provider: str, mode: str, provider_event_id: str) -> EventId:
    """Return the id of a webhook's event, the same for every repetition of the webhook.

    `provider_event_id` must be the provider's own event id if the signature covers that id, else the event type and the
    digest in hex, separated by a newline.
    """
    return EventId(uuid5(f"event\n{provider}\n{mode}\n{provider_event_id}"))


def key_id(provider: str, mode: str, path: str, key: str) -> str:
    """Return the id of a sender's Idempotency-Key on one path."""
    return uuid5(f"key\n{provider}\n{mode}\n{path}\n{key}")


def verification_request_id(provider: str, body: bytes, received_at: int) -> str:
    """Return the id of the verification request that one delivery of an unconfirmed webhook leads to.

    `received_at` is part of the id, since the same body may report another change later.
    """
    return uuid5(f"verification request\n{provider}\n{sha256(body).hexdigest()}\n{received_at}")


def domain_event_id(kind: str, *key: str) -> EventId:
    """Return the id of a domain event; `kind` is its class name and `key` identifies the change.

    Two webhooks that report the same change therefore yield one domain event.
    """
    return EventId(uuid5("\n".join(("domain event", kind, *key))))


def notification_id(event_id: str, audience: str, channel: str) -> str:
    """Return the id of the notification of one audience, on one channel, about the domain event `event_id`."""
    return uuid5(f"notification\n{event_id}\n{audience}\n{channel}")


def notification_again_id(notification_id: str, decision: str) -> str:
    """Return the id under which a notification is sent again; `decision` identifies the operator's decision to do so.

    The same decision, made twice, therefore sends one repetition.
    """
    return uuid5(f"notification again\n{notification_id}\n{decision}")


def outcome_id(outcome: Outcome) -> EventId:
    """Return the id of an outcome, made of its time too, since a redriven record can fail its first attempt twice."""
    return EventId(uuid5(f"outcome\n{_position(outcome)}\n{outcome.outcome}\n{outcome.attempt}\n{outcome.at}"))


def dead_letter_id(letter: DeadRecord) -> EventId:
    """Return the id of a dead letter, made of its time too, since a redriven record can become dead again."""
    return EventId(uuid5(f"dead\n{_position(letter)}\n{letter.at}"))


def refusal_id(refused: RejectedWebhook) -> EventId:
    """Return the id of a refusal, made of its time too: an equal request that is refused later has another id."""
    key = (refused.provider, refused.path, refused.cause, refused.digest.hex(), str(refused.received_at))
    return EventId(uuid5("\n".join(("rejection", *key))))


def action_id(user: str, action: str, target: str, at: int) -> str:
    """Return the id of a person's action at the time `at` in the console; both records of the action have it."""
    return uuid5("\n".join(("action", user, action, target, str(at))))


def action_record_id(record: ConsoleAction) -> EventId:
    """Return the event id of one of the two records of an action, made of the action's id and the record's result."""
    return EventId(uuid5(f"action record\n{record.action_id}\n{record.result}"))


def _position(record: Outcome | DeadRecord) -> str:
    return f"{record.service}\n{record.event_id}\n{record.topic}\n{record.partition}\n{record.offset}"


def unreadable_record_id(topic: str, partition: int, offset: int) -> EventId:
    """Return the id of a record that cannot be decoded, derived from its position."""
    return EventId(uuid5(f"record\n{topic}\n{partition}\n{offset}"))


def unreadable_body_id(provider: str, body: bytes) -> EventId:
    """Return the id of a quarantined webhook, derived from its body, whether or not the body can be translated."""
    return EventId(uuid5(f"body\n{provider}\n{sha256(body).hexdigest()}"))
