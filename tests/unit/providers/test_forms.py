"""Form parameters are read as strictly as JSON: in one way only, or they are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import catalogue
from providers.contract import InvalidField, Malformed, Provider, Received, RefusedWebhook
from providers.parsing import form
from providers.records import webhook_record
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from tests.unit.providers.posted import NOW

CODEC = Codec(CommittedRegistry())
TAKING_FORMS = [
    pytest.param(provider, path, kind, id=path)
    for path, (provider, kind) in catalogue.BY_PATH.items()
    if provider.takes_forms
]
NAMES = (
    "imp_uid merchant_uid status cancellation_id event payment_id tx_id type data no_tid no_oid type_msg no_vacct "
    "amt_input no_transeq P_TID P_OID P_STATUS P_TYPE P_AMT"
).split()
WORDS = ["paid", "Paid", "0200", "0400", "00", "02", "VBANK", "1000", "O-1", "%00", "%EA%B0%80", "%B0%A1", "+", "", "%"]

TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
parameters = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(WORDS) | st.text(max_size=5)).map("=".join), max_size=8
).map(lambda parts: "&".join(parts).encode())


def read(payload: bytes, *encodings: str) -> dict[str, str]:
    return form.parameters(payload, *(encodings or ("utf-8",)))


def test_parameters_are_unescaped_once() -> None:
    assert read(b"a=1&b=%EA%B0%80+%2B%2541&c=") == {"a": "1", "b": "가 +%41", "c": ""}


def test_an_encoding_is_that_of_all_parameters() -> None:
    assert read(b"a=%B0%A1", "cp949", "utf-8") == {"a": "가"}
    assert read(b"a=%EA%B0%80%80&b=%B0", "cp949", "latin-1") == {"a": "ê°\x80\x80", "b": "°"}


@pytest.mark.parametrize(
    ("payload", "encodings"),
    [
        ("P_UNAME=김민지".encode()[:-1] + b"&P_TID=1", ("utf-8",)),
        ("P_UNAME=김민지".encode("cp949")[:-1] + b"&P_TID=1", ("cp949", "utf-8")),
        ("P_UNAME=김민지".encode("cp949")[:-1] + b"&P_TID=1", ("utf-8", "cp949")),
        ("P_UNAME=김민지".encode()[:-2] + b"&P_TID=1", ("utf-8", "cp949")),
        (b"P_UNAME=%B1%E8%B9%CE%C1&P_TID=1", ("cp949", "utf-8")),
    ],
)
def test_a_name_cut_inside_a_letter_costs_that_letter(payload: bytes, encodings: tuple[str, ...]) -> None:
    fields = read(payload, *encodings)

    assert fields["P_UNAME"].startswith("김민")
    assert fields["P_UNAME"].endswith("\ufffd")
    assert fields["P_TID"] == "1"


def test_a_name_cut_inside_an_escape_costs_that_letter() -> None:
    assert read(b"a=%EA%B0%80%B&b=%&c=100%") == {"a": "가%B", "b": "%", "c": "100%"}


def test_a_nul_is_no_text_of_an_id_and_costs_nothing_elsewhere() -> None:
    assert read(b"a=%00&b=1") == {"a": "\0", "b": "1"}


def test_empty_parts_are_no_parameters() -> None:
    assert read(b"&a=1&&b=2&") == {"a": "1", "b": "2"}


@pytest.mark.parametrize("payload", [b"", b"a", b"=1", b"a=1 2", b"a=1\r\n", b"a=\x00", b'{"a": 1}'])
def test_what_is_no_form_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        read(payload)


@pytest.mark.parametrize("payload", [b"a=1&a=1", b"a=1&%61=2"])
def test_what_says_two_things_is_unreadable(payload: bytes) -> None:
    with pytest.raises(InvalidField):
        read(payload)


@given(
    st.dictionaries(
        st.text("abc가", min_size=1), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    )
)
def test_what_is_escaped_is_read_as_the_same(fields: dict[str, str]) -> None:
    def escaped(text: str) -> str:
        return "".join(f"%{octet:02x}" for octet in text.encode())

    payload = "&".join(f"{escaped(name)}={escaped(value)}" for name, value in fields.items()).encode()

    assert (read(payload) if payload else {}) == fields


@pytest.mark.parametrize(("provider", "path", "kind"), TAKING_FORMS)
@given(body=parameters | st.binary(max_size=40))
def test_any_form_is_read_or_refused(provider: Provider, path: str, kind: str, body: bytes) -> None:
    received = Received(path, {form.HEADER: form.CONTENT_TYPE}, body, NOW)

    try:
        translation = provider.translate(received, kind)
    except RefusedWebhook:
        return
    record = webhook_record(provider, received, "unsigned_allowed", translation, "test").webhook
    assert CODEC.decode(CODEC.encode(record)) == record
