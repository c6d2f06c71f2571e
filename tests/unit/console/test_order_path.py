"""Every order has a link that a browser does not change."""

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from console.pages.orders.by_query import by_query
from console.web.rendering.paths import order_path
from tests.unit.console.page_requests import page_request


@pytest.mark.parametrize(
    ("order", "path"),
    [
        ("A-1", "/orders/A-1/evidence"),
        ("2026/1", "/orders/2026%2F1/evidence"),
        ("...", "/orders/.../evidence"),
        (".", "/order/evidence?id=."),
        ("..", "/order/evidence?id=.."),
    ],
)
def test_a_link_survives_the_removal_of_dot_segments(order: str, path: str) -> None:
    assert order_path(order, "/evidence") == path
    assert urlsplit(urljoin("http://console.test/x/y", path)).path == path.partition("?")[0]


def test_the_id_in_the_query_stands_before_the_ids_of_the_path() -> None:
    request = page_request("/order/why/amount?id=..", query={"id": ".."}, ids=("amount",))
    no_transaction: Any = None

    assert by_query(lambda _, given: given.ids)(no_transaction, request) == ("..", "amount")
