"""Contract E's statistics, from counts by type and status. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from console.domain import SUCCEEDED, UNSUCCESSFUL, Status

ALL = "ALL"
_FOUR_DECIMALS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Counted:
    """So many webhooks of a type have this status."""

    type: str
    status: Status
    count: int


def statistics(provider: str, counted: Iterable[Counted]) -> dict[str, Any]:
    """The JSON of contract E; `provider` is ALL when it is of all of them."""
    rows = list(counted)
    total, good, bad = _sums(rows)
    types = {name: _sums(row for row in rows if row.type == name) for name in sorted({row.type for row in rows})}
    return {
        "provider": provider,
        "totalCount": total,
        "successCount": good,
        "failedCount": bad,
        "successRate": rate(good, total),
        "typeStatistics": [
            {"type": name, "count": count, "successCount": successes, "failedCount": failures}
            for name, (count, successes, failures) in types.items()
        ],
    }


def rate(part: int, whole: int) -> str:
    """The share with four decimals, half up: 0.9500; 0.0000 of nothing."""
    share = Decimal(part) / Decimal(whole) if whole else Decimal(0)
    return str(share.quantize(_FOUR_DECIMALS, ROUND_HALF_UP))


def _sums(rows: Iterable[Counted]) -> tuple[int, int, int]:
    total = good = bad = 0
    for row in rows:
        total += row.count
        good += row.count if row.status in SUCCEEDED else 0
        bad += row.count if row.status in UNSUCCESSFUL else 0
    return total, good, bad
