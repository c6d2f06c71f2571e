"""Views and actions of an order whose id is in the query: see `paths.order_path`."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection

from console.web.page import PageRequest

T = TypeVar("T")


def by_query(perform: Callable[[Connection, PageRequest], T]) -> Callable[[Connection, PageRequest], T]:
    """Return a view or action of an order that takes its id from the query instead of the path."""

    def performed(tx: Connection, request: PageRequest) -> T:
        return perform(tx, replace(request, ids=(id_in_query(request), *request.ids)))

    return performed


def id_in_query(request: PageRequest) -> str:
    """Return the parameter `id` of the query; empty if it is not given."""
    return request.query.get("id", "")
