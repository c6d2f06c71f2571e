"""Why the console hands out no zip: the message that the person reads, by what failed."""

from typing import Any, BinaryIO

import pytest

from console.pages.orders import evidence
from console.web.page import ActionRefused
from evidence.archive import MAX_REASON_CHARS, TooLarge, Written
from evidence.collection import UnknownOrder
from stream.avro.registry_client import RegistryError
from stream.kafka.topic_reader import KafkaUnavailable
from tests.unit.console.page_requests import page_request

KAFKA_AWAY = KafkaUnavailable("Kafka at kafka.test:9092 does not answer: timed out")
REGISTRY_AWAY = RegistryError("the schema registry at http://registry.test does not answer")


@pytest.mark.parametrize(
    ("failure", "message", "values"),
    [
        (KAFKA_AWAY, "evidence.kafka_away", {"reason": KAFKA_AWAY}),
        (REGISTRY_AWAY, "evidence.registry_away", {"reason": REGISTRY_AWAY}),
        (UnknownOrder("A-1"), "evidence.no_orders", {}),
        (TooLarge("more than 64 MB"), "evidence.too_large", {"size": 64}),
    ],
)
def test_a_zip_that_cannot_be_written_is_refused_with_the_reason(
    failure: Exception, message: str, values: dict[str, object]
) -> None:
    def failing(_: BinaryIO) -> Written:
        raise failure

    with pytest.raises(ActionRefused, match=message) as refused:
        evidence.download("A-1.zip", failing)

    assert refused.value.values == values


def test_a_reason_that_is_too_long_makes_no_zip() -> None:
    request = page_request(ids=("A-1",), form={"because": "x" * (MAX_REASON_CHARS + 1)})
    no_transaction: Any = None

    with pytest.raises(ActionRefused, match=r"action\.reason_too_long") as refused:
        evidence.download_order(no_transaction, request)

    assert refused.value.values == {"most": MAX_REASON_CHARS}


def test_the_record_of_a_zip_has_its_entries_and_its_digest() -> None:
    def written(file: BinaryIO) -> Written:
        file.write(b"zip")
        return Written("d1f2", 3, ())

    made = evidence.download("A-1.zip", written)

    assert made.content == b"zip"
    assert made.note == 'evidence.made {"entries": "3", "digest": "d1f2"}'
