"""Every word the console says to people, it says in Korean and in English."""

from typing import get_args

import pytest

from console.domain import STATUSES, Type
from console.labels import PROVIDERS, canonical, provider_word
from console.labels import STATUSES as STATUS_LABELS
from console.labels import TYPES as TYPE_LABELS
from providers import catalogue


def test_every_type_status_and_provider_has_both_labels() -> None:
    words = {provider_word(name) for name in catalogue.BY_NAME}

    assert set(TYPE_LABELS) == {*get_args(Type), "payment.pending", "refund.pending", "refund.processing"}
    assert set(STATUS_LABELS) == set(STATUSES)
    assert words <= set(PROVIDERS)
    for labels in (TYPE_LABELS, STATUS_LABELS, PROVIDERS):
        assert all(label["ko"] and label["en"] for label in labels.values())


@pytest.mark.parametrize(
    ("word", "name"),
    [("KAKAO", "kakaopay"), ("kakaopay", "kakaopay"), ("Iamport", "portone_v1"), ("TOSS", "toss"), ("acme", None)],
)
def test_a_provider_is_known_by_contract_es_word_and_by_its_own(word: str, name: str | None) -> None:
    assert canonical(word) == name


@pytest.mark.parametrize("name", catalogue.BY_NAME)
def test_a_providers_word_leads_back_to_it(name: str) -> None:
    assert canonical(provider_word(name)) == name
