from types import SimpleNamespace
from typing import Any

import pytest

from console.pages.orders import evidence
from console.web.page import Refused
from evidence import archive
from stream.avro.registry_client import RegistryError
from stream.kafka.topic_reader import KafkaUnavailable

REQUEST: Any = SimpleNamespace(
    ids=("A-1",),
    form={},
    viewer=SimpleNamespace(name="kim"),
    services=SimpleNamespace(names=(), records=SimpleNamespace(mode="test", codec=None)),
)


def test_a_reason_is_refused_whole_when_it_is_too_long() -> None:
    request: Any = SimpleNamespace(**{**vars(REQUEST), "form": {"because": "x" * (archive.MAX_REASON_CHARS + 1)}})
    no_transaction: Any = None

    with pytest.raises(Refused, match=r"action\.reason_too_long") as refused:
        evidence.download_order(no_transaction, request)

    assert refused.value.values == {"most": archive.MAX_REASON_CHARS}


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (KafkaUnavailable("Kafka at kafka.test:9092 does not answer: timed out"), "evidence.kafka_away"),
        (RegistryError("the schema registry at http://registry.test does not answer"), "evidence.registry_away"),
    ],
)
def test_a_zip_whose_records_cannot_be_read_now_is_refused_with_the_reason(
    failure: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_order(*_: object) -> None:
        raise failure

    monkeypatch.setattr(archive, "of_order", of_order)
    no_transaction: Any = None

    with pytest.raises(Refused, match=message) as refused:
        evidence.download_order(no_transaction, REQUEST)

    assert refused.value.values == {"reason": failure}
