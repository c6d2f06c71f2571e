"""Every sample of what providers post, whole and damaged: read or refused, by whoever is told it is theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import catalogue
from tests.unit.providers.samples import every, sample
from tests.unit.providers.test_properties import read_or_refused

THEIRS = {
    "toss": ["/api/webhooks/toss", "/api/webhooks/tosspayments"],
    "portone_v1": ["/api/webhooks/portone_v1"],
    "portone_v2": ["/api/webhooks/portone_v2"],
    "inicis": ["/api/webhooks/inicis"],
    "kakaopay": ["/api/webhooks/kakaopay"],
    "naverpay": ["/api/webhooks/naverpay"],
}
POSTED = [
    (path, name, sample(provider, name))
    for provider, paths in THEIRS.items()
    for path in paths
    for name in every(provider)
]


@pytest.mark.parametrize(("path", "name", "body"), POSTED, ids=[f"{path} {name}" for path, name, _ in POSTED])
def test_a_sample_is_read_or_refused(path: str, name: str, body: bytes) -> None:
    provider, kind = catalogue.BY_PATH[path]

    read_or_refused(provider, path, kind, body)


@pytest.mark.parametrize("path", sorted({path for paths in THEIRS.values() for path in paths}))
@given(data=st.data(), at=st.integers(min_value=0), junk=st.binary(max_size=4))
def test_a_damaged_sample_is_read_or_refused(path: str, data: st.DataObject, at: int, junk: bytes) -> None:
    provider, kind = catalogue.BY_PATH[path]
    whole = data.draw(st.sampled_from([body for its_path, _, body in POSTED if its_path == path]))
    cut = at % len(whole)

    read_or_refused(provider, path, kind, whole[:cut] + junk + whole[cut + 1 :])
