"""The page Statistics: contract E's counts and amounts, by day and provider."""

from collections.abc import Mapping

from sqlalchemy import Connection

from console.api import query_params
from console.api.views.daily import day_of_provider
from console.labels import PROVIDERS
from console.pages.operations import csv_file
from console.queries.criteria import Filter
from console.queries.figures import daily
from console.web.page import Action, ActionResult, Page, PageRequest
from runtime.json_value import JsonValue

COUNTS = ("totalCount", "successCount", "failedCount", "successRate")
NAMES = ("from", "to", "provider")


def view(tx: Connection, request: PageRequest) -> dict[str, JsonValue]:
    """Return the statistics of the query's range and provider by day, and the amounts of all days together."""
    days = daily.select(tx, _criteria(request.query), request.now)
    return {
        "days": [{**day_of_provider(day), "at": day.day} for day in days],
        "totals": daily.totals(days),
        "kinds": list(daily.MONEY.values()),
        "providers": [name for name in PROVIDERS if name != "ALL"],
        "filters": {name: request.query.get(name, "") for name in NAMES},
    }


def export(tx: Connection, request: PageRequest) -> ActionResult:
    """Return the statistics as CSV: a line for each day, provider and currency; amounts are in minor units.

    A day without amounts has one line without a currency. The counts are repeated on each line of a day.
    """
    kinds = list(daily.MONEY.values())
    rows: list[list[object]] = []
    for day in map(day_of_provider, daily.select(tx, _criteria(request.form), request.now)):
        currencies = sorted({currency for amounts in day["money"].values() for currency in amounts}) or [""]
        for currency in currencies:
            amounts = [day["money"][kind].get(currency, 0) for kind in kinds]
            rows.append([day["day"], day["provider"], *(day[name] for name in COUNTS), currency, *amounts])
    return csv_file.download("statistics.csv", ("day", "provider", *COUNTS, "currency", *kinds), rows)


def _criteria(values: Mapping[str, str]) -> Filter:
    return query_params.of_statistics({name: [values[name]] for name in NAMES if values.get(name)})


PAGES = (Page("/statistics", "statistics.html", view, "statistics"),)
ACTIONS = (Action("/statistics/export", "statistics.export", "viewer", export, lambda _: "statistics.csv"),)
