"""The API's JSON of one provider's statistics of one day. Pure."""

from console.api.views import statistics
from console.api.views.log_entries import iso
from console.labels import provider_word
from console.queries.figures.daily import DayOfProvider
from runtime.json_value import JsonValue


def day_of_provider(day: DayOfProvider) -> dict[str, JsonValue]:
    """Return the day as JSON: its date in UTC, contract E's fields, and `money`: minor units by kind and currency."""
    date = (iso(day.day) or "")[:10]
    figures = statistics.statistics(provider_word(day.provider), day.counts)
    return {"day": date, **figures, "money": day.money}
