"""Contract A's proof: hex HMAC-SHA256 of the raw body, or failing that of its compact form."""

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import catalogue
from providers.contract import Forged, Provider, Received
from providers.generic import webhook as generic
from providers.signing.canonical_json import MAX_REWRITTEN_BYTES, compacted
from simulator import signing
from tests.unit.providers.posted import SECRET, a_payment, posted

FROM_THE_SOURCE = {
    "orderId": 123,
    "carrier": "CJ대한통운",
    "location": "서울 강남구 물류센터",
    "status": "in_transit",
    "note": 'a "quote", a \\ and a \n, 😀',
    "parts": [1, 2.5, True, None, {}, []],
}


def test_the_signature_is_that_of_the_bytes_as_rfc_4231_computes_it() -> None:
    key, data = b"Jefe", b"what do ya want for nothing?"

    headers = signing.generic(data, key)

    assert headers == {"X-Webhook-Signature": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}


@pytest.mark.parametrize("provider", catalogue.PROVIDERS[:2], ids=lambda provider: provider.name)
def test_what_a_provider_signs_it_verifies(provider: Provider) -> None:
    assert provider.verify(posted(a_payment()), [SECRET]) == "signature"


@given(body=st.binary(), secret=st.binary(min_size=1))
def test_any_bytes_signed_with_any_secret_are_genuine(body: bytes, secret: bytes) -> None:
    assert generic.verify(posted(body, secret=secret), [secret]) == "signature"


@given(body=st.binary(min_size=1), at=st.integers(min_value=0))
def test_a_body_with_one_bit_flipped_is_forged(body: bytes, at: int) -> None:
    flipped = bytearray(body)
    flipped[at // 8 % len(body)] ^= 1 << at % 8
    signature = signing.generic(body, SECRET)["X-Webhook-Signature"]

    with pytest.raises(Forged):
        generic.verify(posted(bytes(flipped), x_webhook_signature=signature), [SECRET])


@given(body=st.binary(), at=st.integers(min_value=0, max_value=255))
def test_a_signature_with_one_bit_flipped_is_forged(body: bytes, at: int) -> None:
    signature = bytearray(hmac.digest(SECRET, body, "sha256"))
    signature[at // 8] ^= 1 << at % 8

    with pytest.raises(Forged):
        generic.verify(posted(body, x_webhook_signature=signature.hex()), [SECRET])


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "0",
        "é" * 64,
        "ÿþ",
        "a" * 64,
        "g" * 64,
        "sha256=" + "a" * 64,
        "a" * 10_000,
        signing.generic(b"another body", SECRET)["X-Webhook-Signature"],
        signing.generic(b"{}", b"another secret")["X-Webhook-Signature"],
        signing.generic(b"{}", SECRET)["X-Webhook-Signature"][:-1],
        signing.generic(b"{}", SECRET)["X-Webhook-Signature"] + "0",
        "v1a," + signing.generic(b"{}", SECRET)["X-Webhook-Signature"],
    ],
)
def test_any_other_signature_is_forged(signature: str) -> None:
    with pytest.raises(Forged):
        generic.verify(posted(b"{}", x_webhook_signature=signature), [SECRET])


def test_a_missing_signature_is_forged_and_said_to_be_missing() -> None:
    received = posted(b"{}")
    unsigned = Received(received.path, {}, received.body, received.received_at)

    with pytest.raises(Forged, match="missing"):
        generic.verify(unsigned, [SECRET])


def test_the_hex_may_be_in_capitals() -> None:
    signature = signing.generic(b"{}", SECRET)["X-Webhook-Signature"].upper()

    assert generic.verify(posted(b"{}", x_webhook_signature=signature), [SECRET]) == "signature"


@pytest.mark.parametrize("signing", [b"old", b"new", b"newest"])
def test_while_a_secret_is_rotated_each_live_one_proves(signing: bytes) -> None:
    assert generic.verify(posted(b"{}", secret=signing), [b"new", b"old", b"newest"]) == "signature"


def test_a_retired_secret_proves_nothing() -> None:
    with pytest.raises(Forged):
        generic.verify(posted(b"{}", secret=b"retired"), [b"new", b"old"])


@pytest.mark.parametrize("indent", [1, 2, "\t"])
def test_indented_json_may_be_signed_in_its_compact_form(indent: int | str) -> None:
    compact = json.dumps(FROM_THE_SOURCE, ensure_ascii=False, separators=(",", ":")).encode()
    indented = json.dumps(FROM_THE_SOURCE, ensure_ascii=False, indent=indent).encode()
    signature = signing.generic(compact, SECRET)["X-Webhook-Signature"]

    assert generic.verify(posted(indented, x_webhook_signature=signature), [SECRET]) == "signature"


@pytest.mark.parametrize("indent", [1, 2, "\t"])
def test_a_long_body_may_be_indented_as_well(indent: int | str) -> None:
    changes = {"orderId": 1, "status": "completed", "items": [{"name": '서울 " \\ 강남', "price": 1500}] * 2000}
    compact = json.dumps(changes, ensure_ascii=False, separators=(",", ":")).encode()
    indented = json.dumps(changes, ensure_ascii=False, indent=indent).encode()
    signature = signing.generic(compact, SECRET)["X-Webhook-Signature"]

    assert len(indented) > MAX_REWRITTEN_BYTES
    assert generic.verify(posted(indented, x_webhook_signature=signature), [SECRET]) == "signature"


def test_of_a_long_body_only_the_white_space_is_taken_out() -> None:
    """To parse 262 KB and write them again takes 30 ms of CPU, where their HMAC takes 0.2 ms; anybody may post that."""
    forged = b'[ 1.0, 1e2, "\\u00e9 x", { } ,' + b"1.0, " * 50_000 + b"1 ]"

    assert compacted(forged) == b'[1.0,1e2,"\\u00e9 x",{},' + b"1.0," * 50_000 + b"1]"
    assert compacted(b'[ 1.0, "\\u00e9 x" ]') == '[1,"é x"]'.encode()


@pytest.mark.parametrize(
    ("sent", "as_javascript"),
    [
        (b'{ "a" : "\\uc11c\\uc6b8" }', '{"a":"서울"}'.encode()),
        (b'{ "a" : "\\ud83d\\ude00" }', '{"a":"😀"}'.encode()),
        (b'{ "a" : "\\/" }', b'{"a":"/"}'),
        (b'{ "a" : "\\u0007" }', b'{"a":"\\u0007"}'),
        (b"[1.0, 1.50, -0.0, 1e2, 1E+3]", b"[1,1.5,0,100,1000]"),
        (b"[1e20, 1e21, 1.5e300]", b"[100000000000000000000,1e+21,1.5e+300]"),
        (b"[0.1, 123.456]", b"[0.1,123.456]"),
        (b'{"b": 1, "a": 2}', b'{"b":1,"a":2}'),
        (b" null ", b"null"),
    ],
)
def test_the_compact_form_is_what_javascript_would_write(sent: bytes, as_javascript: bytes) -> None:
    assert compacted(sent) == as_javascript


@pytest.mark.parametrize(
    "body",
    [b"{}", b"", b"not json", b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000],
    ids=["compact already", "empty", "text", "truncated", "not UTF-8", "deep list", "4301 digits", "deep object"],
)
def test_what_has_no_other_compact_form_has_none(body: bytes) -> None:
    assert compacted(body) is None


@given(st.binary() | st.text().map(str.encode))
def test_forged_bytes_of_any_kind_are_forged_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(Forged):
        generic.verify(posted(body, x_webhook_signature="00"), [SECRET])


@pytest.mark.parametrize("depth", range(900, 1010, 3))
def test_no_depth_is_one_at_which_reading_succeeds_and_writing_fails(depth: int) -> None:
    with pytest.raises(Forged):
        generic.verify(posted(b"[" * depth + b" " + b"]" * depth, x_webhook_signature="00"), [SECRET])
