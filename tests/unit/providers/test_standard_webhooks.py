"""Standard Webhooks: published vectors, and the reference library as oracle."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from providers.contract import Forged, Received, Stale
from providers.signing import standard_webhooks
from stream.events import Micros
from tests.unit.providers.posted import NOW
from tests.unit.providers.samples import sample

SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTORS = [vector for vector in json.loads(sample("standard_webhooks", "vectors")) if vector["verified_here"]]
PORTONE = json.loads(sample("portone_v2", "vectors"))[0]
NAME, TIME, SIGNATURE = standard_webhooks.ID, standard_webhooks.TIMESTAMP, standard_webhooks.SIGNATURE


def signed(body: bytes = b"{}", *, secret: bytes = SECRET, at: int = NOW, name: str = "msg_1") -> dict[str, str]:
    return {key.lower(): value for key, value in standard_webhooks.sign(body, secret, at, name).items()}


def verify(
    headers: dict[str, str], body: bytes = b"{}", *, at: int = NOW, secrets: tuple[bytes, ...] = (SECRET,)
) -> None:
    standard_webhooks.verify(Received("/x", headers, body, Micros(at)), secrets)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["origin"]))
def test_the_published_vectors_are_genuine(vector: dict[str, Any]) -> None:
    headers = {name: vector[name] for name in (NAME, TIME, SIGNATURE)}
    at = int(vector[TIME]) * 1_000_000

    verify(headers, vector["body"].encode(), at=at, secrets=(vector["secret"].encode(),))


@pytest.mark.parametrize("prefix", [b"", b"whsec_"])
def test_portones_vector_is_genuine_with_and_without_the_prefix(prefix: bytes) -> None:
    headers = {name: PORTONE[name] for name in (NAME, TIME, SIGNATURE)}
    body = sample("portone_v2", "Transaction.Cancelled")
    at = int(PORTONE[TIME])

    for offset in (-300, 0, 300):
        verify(headers, body, at=(at + offset) * 1_000_000, secrets=(prefix + PORTONE["secret"].encode(),))
    for offset in (-301, 301):
        with pytest.raises(Stale):
            verify(headers, body, at=(at + offset) * 1_000_000, secrets=(prefix + PORTONE["secret"].encode(),))


@given(body=st.text().map(str.encode), key=st.binary(min_size=1, max_size=64), name=st.text("msg_abc0", min_size=1))
def test_what_the_reference_library_signs_is_genuine(body: bytes, key: bytes, name: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    signature = Webhook(secret).sign(name, at, body.decode())
    micros = int(at.timestamp()) * 1_000_000

    verify(
        {NAME: name, TIME: str(micros // 1_000_000), SIGNATURE: signature}, body, at=micros, secrets=(secret.encode(),)
    )
    assert signed(body, secret=secret.encode(), at=micros, name=name)[SIGNATURE] == signature


@given(
    change=st.sampled_from([NAME, TIME, SIGNATURE]),
    value=st.text(st.characters(max_codepoint=255), max_size=60)
    | st.from_regex(r"\A(v1a?,[A-Za-z0-9+/=]{0,44} ?){1,3}\Z"),
)
def test_what_we_take_for_genuine_the_reference_library_does(change: str, value: str) -> None:
    """It may take more: it looks past marks that are not base64. It may not take less."""
    now = datetime.now(UTC)
    at = int(now.timestamp() * 1_000_000)
    headers = {**signed(at=at), change: value}

    try:
        verify(headers, at=at)
    except (Forged, Stale):
        return
    Webhook(SECRET.decode()).verify(b"{}", headers)


def test_the_reference_library_refuses_what_we_refuse() -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    for headers in (signed(at=int(long_ago.timestamp() * 1e6)), {**signed(), SIGNATURE: "v1,AAAA"}):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET.decode()).verify(b"{}", headers)


@pytest.mark.parametrize(
    "signature",
    ["", " ", ",", "v1", "v1,", "v1,,", "v1a,x", "v1,x,y", "v2" + signed()[SIGNATURE][2:], "ÿ" * 9, "v1," + "A" * 9999],
)
def test_what_is_no_signature_of_it_is_forged_and_nothing_worse(signature: str) -> None:
    with pytest.raises(Forged):
        verify({**signed(), SIGNATURE: signature})


@pytest.mark.parametrize("timestamp", ["", "0x10", "1e9", "-1", "+1700000000", " 1700000000", "\u0661" * 10, "9" * 400])
def test_a_timestamp_is_digits(timestamp: str) -> None:
    with pytest.raises(Forged):
        verify({**signed(), TIME: timestamp})


@pytest.mark.parametrize("missing", [NAME, TIME, SIGNATURE])
def test_no_header_may_be_missing(missing: str) -> None:
    with pytest.raises(Forged):
        verify({name: value for name, value in signed().items() if name != missing})


def test_one_of_several_signatures_and_of_several_secrets_is_enough() -> None:
    right = signed()[SIGNATURE]

    verify({**signed(), SIGNATURE: f"v1a,AAAA v1,BBBB {right}"}, secrets=(b"whsec_AAAA", SECRET))


@pytest.mark.parametrize("secret", [b"", b"whsec_", b"not base64!", b"whsec_\xff", b"A"])
def test_a_secret_that_is_none_proves_nothing(secret: bytes) -> None:
    with pytest.raises(Forged):
        verify(signed(secret=b""), secrets=(secret,))


def test_padding_may_be_left_out_of_a_secret() -> None:
    assert standard_webhooks.key_of(b"whsec_YWI") == standard_webhooks.key_of(b"YWI=") == b"ab"


def test_an_old_forgery_is_a_forgery() -> None:
    with pytest.raises(Forged):
        verify({**signed(at=0), SIGNATURE: "v1,AAAA"})
