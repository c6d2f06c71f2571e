"""The API's JSON of a day of a provider. Pure."""

from console.api.views import statistics
from console.api.views.log_entries import iso
from console.labels import provider_word
from console.queries.daily import DayOfProvider
from runtime.json_value import JsonValue


def day_of_provider(day: DayOfProvider) -> dict[str, JsonValue]:
    """Return a day as JSON: contract E's fields, and the money."""
    date = (iso(day.day) or "")[:10]
    figures = statistics.statistics(provider_word(day.provider), day.counts)
    return {"day": date, **figures, "money": day.money}
