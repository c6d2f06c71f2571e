"""A processor is killed at each step between consume and store-offset; another goes on where it was.

Nothing is lost, nothing is done twice, and what is told of one order keeps its order.
"""

import pytest

from stream import topics
from tests.faults.orders import Orders
from tests.log import reading
from tests.replicas import Replica, Replicas

POINTS = (
    "worker.after_consume",
    "worker.after_decode",
    "worker.before_commit",
    "worker.after_commit",
    "publisher.before",
    "publisher.halfway",
    "publisher.after",
    "worker.before_offsets",
    "worker.after_offsets",
)


@pytest.mark.parametrize("point", POINTS)
def test_a_processor_killed_at_any_step_loses_nothing_and_does_nothing_twice(
    point: str, spare: Replica, processors: Replicas, system: dict[str, str]
) -> None:
    orders = Orders(system)
    orders.become_known()

    with reading(system, topics.PAYMENTS) as told:
        doomed = processors.join(f"{point}:exit:2")
        orders.go()
        doomed.dies_of_its_fault()
        orders.were_applied_once_in_order()
        told.wait_until(orders.all_told)

    orders.were_told_once_in_order(told.records)
    orders.were_mailed_once()
