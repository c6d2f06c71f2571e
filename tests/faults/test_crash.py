"""A processor is killed at each step between consume and store-offset; another goes on where it was.

Nothing is lost, nothing is done twice, and what is told of one order keeps its order.
"""

import time

import pytest

from stream.events import topics
from tests.actors import Store, until
from tests.failing import engine, refusing
from tests.faults.orders import Orders
from tests.log import reading
from tests.replicas import Replica, Replicas

pytestmark = pytest.mark.long

POINTS = (
    "worker.after_consume",
    "worker.after_decode",
    "worker.before_commit",
    "worker.after_commit",
    "publisher.before",
    "publisher.halfway",
    "publisher.after",
    "worker.before_outcomes",
    "worker.before_offsets",
    "worker.after_offsets",
)
COMMITS_WITHIN_S = 2.0
RETRIES = "SELECT 1 FROM inbox JOIN retries USING (event_id) WHERE key = ANY (%s)"


@pytest.mark.parametrize("point", POINTS)
def test_a_processor_killed_at_any_step_loses_nothing_and_does_nothing_twice(
    point: str, spare: Replica, processors: Replicas, system: dict[str, str]
) -> None:
    orders = Orders(system)

    with reading(system, topics.PAYMENTS) as published, reading(system, topics.OUTCOMES) as outcomes:
        orders.post_first_status()
        doomed = processors.join(f"{point}:exit")
        orders.post_rest()
        doomed.dies_of_its_fault()
        orders.assert_applied_once_in_order()
        published.wait_until(orders.are_all_published)
        outcomes.wait_until(orders.are_all_processed)

    orders.assert_published_once_in_order(published.records)
    orders.assert_mailed_once()


@pytest.mark.parametrize("point", ["worker.before_retry", "worker.after_retry"])
def test_what_a_dead_processor_tried_again_is_told_by_the_next(
    point: str, spare: Replica, processors: Replicas, system: dict[str, str], payments: Store
) -> None:
    """No record comes again that would bring the outcome of a retry back."""
    orders = Orders(system)

    with reading(system, topics.OUTCOMES) as outcomes:
        doomed = processors.join(f"{point}:exit", RETRY_FIRST_S="2")
        with refusing(engine(system), *orders.ids):
            orders.post_chain("completed")
            until(lambda: payments.rows(RETRIES, orders.keys), lambda rows: len(rows) == orders.count)
        doomed.dies_of_its_fault()
        payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders.ids, count=orders.count)
        outcomes.wait_until(orders.are_all_processed)


def test_no_offset_is_committed_before_what_follows_is_told(
    spare: Replica, processors: Replicas, system: dict[str, str]
) -> None:
    """Outcomes are in no outbox: only the record itself, delivered again, brings them back."""
    orders = Orders(system)

    with reading(system, topics.OUTCOMES) as outcomes:
        doomed = processors.join("publisher.before:sleep:60")
        orders.post_chain()
        time.sleep(COMMITS_WITHIN_S)
        doomed.kill()
        orders.wait_for_rows()
        outcomes.wait_until(orders.are_all_processed)
