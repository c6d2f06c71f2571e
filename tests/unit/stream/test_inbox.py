"""Which deliveries of a batch are new, repeated, duplicates or conflicts."""

from stream.events import EventId
from stream.kafka.delivery import Delivery, ends
from stream.store.inbox import DeliveryOutcome, InboxRow, split_repeated
from tests.builders import a_payment

WEBHOOK = a_payment()


def delivered(offset: int, *, event_id: str = "e-1", digest: bytes = b"a", partition: int = 0) -> Delivery:
    return Delivery(WEBHOOK, EventId(event_id), digest, "webhooks.payment.v1", partition, offset, None, None)


def handled(offset: int, *, digest: bytes = b"a") -> InboxRow:
    return InboxRow(digest, "webhooks.payment.v1", 0, offset, "late")


def test_an_event_without_an_inbox_row_is_new() -> None:
    first = delivered(1)

    assert split_repeated([first], {}) == ([first], [])


def test_a_repeated_record_has_the_outcome_of_the_first_time() -> None:
    again = delivered(1)

    assert split_repeated([again], {"e-1": handled(1)}) == ([], [DeliveryOutcome(again, "late")])


def test_the_same_event_in_another_record_is_a_duplicate() -> None:
    second = delivered(2)

    assert split_repeated([second], {"e-1": handled(1)}) == ([], [DeliveryOutcome(second, "duplicate")])


def test_another_content_under_a_known_id_is_a_conflict() -> None:
    other = delivered(2, digest=b"b")

    assert split_repeated([other], {"e-1": handled(1)}) == ([], [DeliveryOutcome(other, "conflict")])


def test_the_first_of_several_deliveries_of_a_new_event_is_new() -> None:
    first, second, other = delivered(1), delivered(2), delivered(3, digest=b"b")

    assert split_repeated([first, second, other], {}) == (
        [first],
        [DeliveryOutcome(second, "duplicate"), DeliveryOutcome(other, "conflict")],
    )


def test_a_batch_ends_after_its_last_delivery_of_each_partition() -> None:
    batch = [delivered(7), delivered(9), delivered(3, partition=4)]

    assert ends(batch) == {("webhooks.payment.v1", 0): 10, ("webhooks.payment.v1", 4): 4}
