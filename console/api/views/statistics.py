"""Contract E's statistics, from counts by type and status. Pure."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from console.domain import SUCCEEDED, UNSUCCESSFUL
from console.queries.criteria import StatusCount
from runtime.json_value import JsonValue

ALL = "ALL"
"""Contract E's word for all providers together."""
_FOUR_DECIMALS = Decimal("0.0001")


def statistics(provider: str, counted: Iterable[StatusCount]) -> dict[str, JsonValue]:
    """Return contract E's statistics of these counts as JSON; `provider` is the API's name of the provider, or ALL."""
    rows = list(counted)
    total, succeeded, unsuccessful = _sums(rows)
    types = {name: _sums(row for row in rows if row.type == name) for name in sorted({row.type for row in rows})}
    return {
        "provider": provider,
        "totalCount": total,
        "successCount": succeeded,
        "failedCount": unsuccessful,
        "successRate": rate(succeeded, total),
        "typeStatistics": [
            {"type": name, "count": count, "successCount": successes, "failedCount": failures}
            for name, (count, successes, failures) in types.items()
        ],
    }


def rate(part: int, whole: int) -> str:
    """Return part / whole with four decimals, rounded half up: 0.9500; 0.0000 if `whole` is 0."""
    share = Decimal(part) / Decimal(whole) if whole else Decimal(0)
    return str(share.quantize(_FOUR_DECIMALS, ROUND_HALF_UP))


def _sums(rows: Iterable[StatusCount]) -> tuple[int, int, int]:
    total = succeeded = unsuccessful = 0
    for row in rows:
        total += row.count
        succeeded += row.count if row.status in SUCCEEDED else 0
        unsuccessful += row.count if row.status in UNSUCCESSFUL else 0
    return total, succeeded, unsuccessful
