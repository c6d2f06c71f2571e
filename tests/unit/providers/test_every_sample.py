"""Every sample of every provider, and whatever else could come, is read or refused with a cause; nothing else."""

import pytest

from providers import catalogue
from providers.contract import Forged, Provider, Received, RefusedWebhook, Stale, Translation
from providers.records import webhook_record
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import Verification
from tests.payloads import SECRET, Post, authenticated, authentications, damaged, samples
from tests.unit.providers.posted import NOW

CODEC = Codec(CommittedRegistry())
ROWS = [pytest.param(row, path, kind, id=path) for row in catalogue.ROWS for path, kind in row.paths.items()]
LONGEST_COMPLAINT = 400


def outcome(row: Provider, kind: str, post: Post) -> str:
    """`read`, or the cause of the refusal; what is read survives the wire."""
    if catalogue.split(post.path) is None:
        return "unknown_path"
    received = post.received(NOW)
    became = attempt(row, kind, received)
    if isinstance(became, RefusedWebhook):
        assert 0 < len(str(became)) <= LONGEST_COMPLAINT
        return became.cause
    record = webhook_record(row, received, *became, "test").webhook
    assert CODEC.decode(CODEC.encode(record)) == record
    assert record.envelope.path in row.paths
    return "read"


def attempt(row: Provider, kind: str, received: Received) -> tuple[Verification, Translation] | RefusedWebhook:
    try:
        return row.verify(received, [b"an older secret", SECRET]), row.translate(received, kind)
    except RefusedWebhook as refused:
        return refused


@pytest.mark.parametrize(("row", "path", "kind"), ROWS)
def test_a_sample_is_read_or_refused_however_it_is_proved(row: Provider, path: str, kind: str) -> None:
    for sample in samples():
        for way, post in authentications(row, path, sample.read_bytes(), SECRET, NOW):
            cause = outcome(row, kind, post)
            assert way != "unsigned" or row.is_unsigned or cause != "read", sample


@pytest.mark.parametrize(("row", "path", "kind"), ROWS)
def test_a_damaged_sample_is_read_or_refused(row: Provider, path: str, kind: str) -> None:
    for sample in samples(row.name):
        for _, body in damaged(sample.read_bytes()):
            outcome(row, kind, authenticated(row, path, body, SECRET, NOW))


@pytest.mark.parametrize(("row", "path", "kind"), ROWS)
def test_a_wrong_secret_proves_nothing(row: Provider, path: str, kind: str) -> None:
    if row.is_unsigned:
        pytest.skip("nothing proves its webhooks")
    received = authenticated(row, path, b"{}", b"another secret", NOW).received(NOW)

    with pytest.raises((Forged, Stale)):
        row.verify(received, [SECRET])


@pytest.mark.parametrize("row", [row for row in catalogue.ROWS if row.takes_token], ids=lambda row: row.name)
@pytest.mark.parametrize("token", [None, "", "x", "\ud800", SECRET.decode()[:-1], SECRET.decode() + "x"])
def test_a_token_is_right_to_the_last_letter(row: Provider, token: str | None) -> None:
    path = next(iter(row.paths))
    assert row.verify(Received(path, {}, b"{}", NOW, SECRET.decode()), [b"an older one", SECRET]) == "shared_secret"

    with pytest.raises(Forged, match="token"):
        row.verify(Received(path, {}, b"{}", NOW, token), [SECRET])
