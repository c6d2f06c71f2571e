"""Records are encoded and decoded; bytes that are not a record of ours are Undecodable."""

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import CommittedRegistry, UnknownSchema
from stream.events import PaymentPayload, Record
from tests.builders import a_payment, a_refund, a_scan, an_order

CODEC = Codec(CommittedRegistry())
TEXTS = st.none() | st.text()
NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)
WEBHOOK = CODEC.encode(a_payment())


@given(st.builds(a_payment, method=TEXTS, failure_reason=TEXTS, amount=NUMBERS, paid_at=NUMBERS, order=st.text()))
def test_what_is_encoded_is_decoded_again(record: Record) -> None:
    assert CODEC.decode(CODEC.encode(record)) == record


@pytest.mark.parametrize(
    "record", [a_payment(), a_scan(), a_refund(), an_order()], ids=lambda record: type(record).__name__
)
def test_each_kind_of_webhook_comes_back_as_itself(record: Record) -> None:
    assert CODEC.decode(CODEC.encode(record)) == record


@pytest.mark.parametrize(
    ("damage", "bytes_"),
    [
        ("nothing", None),
        ("empty", b""),
        ("another magic byte", b"\x01" + WEBHOOK[1:]),
        ("only a header", WEBHOOK[:5]),
        ("cut short", WEBHOOK[:-1]),
        ("trailing bytes", WEBHOOK + b"\x00"),
        ("an overlong varint", WEBHOOK[:5] + b"\xff" * 12),
        ("a negative length", WEBHOOK[:5] + b"\x01" + WEBHOOK[6:]),
        ("another schema's bytes", CODEC.encode(a_scan())[:5] + WEBHOOK[5:]),
        ("bad UTF-8", WEBHOOK[:5] + b"\x04\xff\xff" + WEBHOOK[8:]),
    ],
)
def test_damaged_bytes_are_no_record(damage: str, bytes_: bytes | None) -> None:
    with pytest.raises(Undecodable):
        CODEC.decode(bytes_)


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"method": 5}, "payload.method"), ({"amount": 2**63}, "64 bits")],
)
def test_an_error_of_encoding_names_the_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"a PaymentWebhook cannot be written: .*{named}"):
        CODEC.encode(a_payment(**fields))


def test_a_schema_nobody_registered_is_told_from_damage() -> None:
    with pytest.raises(UnknownSchema):
        CODEC.decode(b"\x00\x00\x00\xff\xff" + WEBHOOK[5:])


@dataclass
class Shared:
    """A registry shared with other teams: every id maps to this schema."""

    written: Any

    def id_of(self, subject: str) -> int:
        return CommittedRegistry().id_of(subject)

    def schema_of(self, schema_id: int) -> Any:
        return self.written


@pytest.mark.parametrize(
    "written",
    [
        {"type": "record", "name": "Basket", "fields": []},
        {"type": "record", "name": "DomainEvent", "fields": []},
        {"type": "record", "name": "domain_events", "fields": []},
        {"type": "record", "name": "Outcome", "fields": [{"name": "of", "type": "nonsense"}]},
        {"type": "array", "items": "string"},
        ["null", "string"],
        "string",
    ],
    ids=str,
)
def test_a_schema_of_another_team_is_no_record_of_ours(written: Any) -> None:
    with pytest.raises(Undecodable, match="no record of ours"):
        Codec(Shared(written)).decode(WEBHOOK)


@given(st.integers(5, len(WEBHOOK) - 1), st.binary(max_size=4))
def test_no_damage_is_anything_but_undecodable_or_another_record(at: int, junk: bytes) -> None:
    try:
        record = CODEC.decode(WEBHOOK[:at] + junk + WEBHOOK[at + len(junk) :])
    except Undecodable:
        return
    assert isinstance(record, Record)
    assert isinstance(record.payload, PaymentPayload)  # type: ignore[attr-defined]
