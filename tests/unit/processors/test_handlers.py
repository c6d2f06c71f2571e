"""A handler takes every record that its service's topics carry: its type says so, and a worker relies on it."""

from collections.abc import Callable
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from processors.invoice.handler import handle as invoice
from processors.order.handler import handle as order
from processors.payment.handler import handle as payment
from processors.refund.handler import handle as refund
from processors.shipping.handler import handle as shipping
from processors.subscription.handler import handle as subscription
from stream.events import topics


@pytest.mark.parametrize("handler", [payment, shipping, refund, subscription, invoice, order])
def test_a_handler_takes_every_record_of_its_topics(handler: Callable[..., object]) -> None:
    service = handler.__module__.split(".")[1]
    carried = {record for topic in topics.service(service).reads for record in topic.records}

    assert [record.__name__ for record in carried if not issubclass(record, taken_by(handler))] == []


def taken_by(handler: Callable[..., object]) -> tuple[type, ...]:
    hints: dict[str, Any] = get_type_hints(handler)
    events = next(hint for name, hint in hints.items() if name not in ("tx", "return"))
    (event,) = get_args(events)
    return get_args(event) if get_origin(event) in (UnionType, Union) else (event,)
