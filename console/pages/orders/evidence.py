"""Evidence for a third party: a customer's orders on a page, and the zips about one order or all of a customer's.

The zips need the role auditor. Each is recorded with the reason to include personal data, and with its digest.
"""

import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO
from urllib.parse import urlencode

from sqlalchemy import Connection

from console.api import endpoints, query_params
from console.pages.orders.by_query import by_query, id_in_query
from console.queries import customers
from console.web import reasons
from console.web.page import Action, ActionRefused, Download, Page, PageRequest, Redirect, first_id
from console.web.rendering import action_details
from console.web.rendering.paths import ORDER
from evidence import archive, bundle
from evidence.archive import MAX_REASON_CHARS, Terms, TooLarge, Written
from evidence.collection import NotifierAway, Sources, UnknownOrder
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.json_value import JsonValue
from stream.avro.registry_client import RegistryError
from stream.events.text.redaction import masked_text
from stream.kafka.position import Position
from stream.kafka.topic_reader import KafkaUnavailable

MAX_ORDERS, MAX_BYTES = 100, 64_000_000
"""The most orders, and bytes of files, in a zip that the console makes; the command line has no such limits."""


def view(tx: Connection, request: PageRequest) -> Mapping[str, JsonValue]:
    """Return the orders of the customer whom the path names by address or id. Raises Redirect if there are none."""
    name = query_params.checked_id(request.ids[0])
    found = customers.find(tx, name)
    if not found.orders:
        raise Redirect(f"/search?{urlencode({'q': name})}")
    shown = name if request.viewer.may("auditor") else masked_text(name)
    return {
        "name": name,
        "shown": shown,
        "customer": found,
        "most": MAX_ORDERS,
        "longest": MAX_REASON_CHARS,
        "command": f"hookstream evidence --customer {shlex.quote(name)}",
    }


def download_order(tx: Connection, request: PageRequest) -> Download:
    """Return the zip about one order.

    Raises ActionRefused for an unknown order, for a reason that is too long, and while Kafka or the schema registry
    fails.
    """
    order, terms = query_params.checked_id(request.ids[0]), _terms(request)
    name = f"{bundle.safe_name(order)}.zip"
    return download(name, lambda file: archive.write_order(file, archive.of_order(_sources(tx, request), order, terms)))


def download_customer(tx: Connection, request: PageRequest) -> Download:
    """Return the zip about all orders of a customer.

    Raises ActionRefused without orders, for more than MAX_ORDERS orders or MAX_BYTES bytes, and while Kafka or the
    schema registry fails.
    """
    name, terms = query_params.checked_id(request.ids[0]), _terms(request)
    found = customers.find(tx, name)
    if not found.orders:
        raise ActionRefused("evidence.no_orders")
    if len(found.orders) > MAX_ORDERS or not found.is_complete:
        raise ActionRefused("evidence.too_many", most=MAX_ORDERS)
    orders = [row["order_id"] for row in found.orders]
    shown = name if terms.because else masked_text(name)
    make = partial(archive.of_order, _sources(tx, request), terms=terms)
    write = partial(archive.write_customer, customer=shown, orders=orders, make=make, terms=terms, notes=[])
    return download(f"{bundle.customer_name(shown)}.zip", lambda file: write(file, max_bytes=MAX_BYTES))


def download(name: str, write: Callable[[BinaryIO], Written]) -> Download:
    """Return the zip that `write` writes into a file; its digest goes into the record of the action.

    Raises ActionRefused if `write` finds the order unknown, Kafka or the schema registry away, or the zip too large.
    """
    try:
        with tempfile.TemporaryFile() as file:
            written = write(file)
            file.seek(0)
            note = action_details.code("evidence.made", {"entries": str(written.size), "digest": written.digest})
            return Download(name, file.read(), "application/zip", note)
    except UnknownOrder as unknown:
        raise ActionRefused("evidence.no_orders") from unknown
    except KafkaUnavailable as away:
        raise ActionRefused("evidence.kafka_away", reason=away) from away
    except RegistryError as failure:
        raise ActionRefused("evidence.registry_away", reason=failure) from failure
    except TooLarge as large:
        raise ActionRefused("evidence.too_large", size=MAX_BYTES // 1_000_000) from large


def _terms(request: PageRequest) -> Terms:
    """Return how the zip is made: masked, unless the form has a reason not to.

    The console has no provider's secret, so it verifies no signature again. Raises ActionRefused for a reason that is
    too long.
    """
    reason = reasons.optional(request, "because", MAX_REASON_CHARS)
    because = f"{request.viewer.name}: {reason}" if reason else None
    return Terms(because, request.services.records.mode, lambda _: ())


def _sources(tx: Connection, request: PageRequest) -> Sources:
    """Return the log, Kafka and the notifier; no transaction is open while one of the latter two is read."""

    def records(positions: Sequence[Position]) -> Iterator[tuple[Position, bytes | None]]:
        tx.rollback()
        return request.services.records.at(positions)

    def notifier(path: str, query: Mapping[str, str]) -> JsonValue:
        if "notifier" not in request.services.names:
            raise NotifierAway("its address is not in MANAGEMENT_URLS")
        try:
            return request.services.get("notifier", path, **query)
        except (ServiceRefused, ServiceUnreachable) as failure:
            raise NotifierAway(str(failure)) from failure

    return Sources(
        life=lambda order: endpoints.order(tx, {}, order),
        refusals=lambda order, most: endpoints.refusals(tx, {"order": [order], "limit": [str(most)]}),
        records=records,
        notifier=notifier,
        codec=request.services.records.codec,
    )


PAGES = (Page("/customers/{customer:str}", "customer.html", view, "orders"),)
ACTIONS = (
    Action("/orders/{order_id:str}/evidence", "evidence.order", "auditor", download_order),
    Action(f"{ORDER}/evidence", "evidence.order", "auditor", by_query(download_order), id_in_query),
    Action(
        "/customers/{customer:str}/evidence",
        "evidence.customer",
        "auditor",
        download_customer,
        lambda request: masked_text(first_id(request)),
    ),
)
