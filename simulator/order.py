"""An order of a run, with all that follows from its number: customer, amount, parcel, times. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

LOCALES = ("ko", "en")
NAMES = {
    "ko": ("김민지", "이서준", "박지우", "최하은", "정도윤"),
    "en": ("Emma Clarke", "Liam Murphy", "Olivia Reed", "Noah Bennett", "Ava Collins"),
}
CARRIERS = ("CJ대한통운", "우체국", "한진택배", "롯데택배", "로젠택배")
TRACKING_NUMBERS = 10**12
"""Tracking numbers have twelve digits, like CJ's."""
AFTER_ORDER = {"order": timedelta(), "payment": timedelta(minutes=1), "shipping": timedelta(days=2)}
LIFETIME = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SimulatedOrder:
    """The `number`-th order of a run. At `now` it has been delivered and refunded."""

    run: str
    number: int
    locale: str
    now: datetime

    @property
    def order_id(self) -> str:
        return f"SIM-{self.run}-{self.number}"

    @property
    def email(self) -> str:
        return f"{self.order_id.lower()}@example.test"

    @property
    def amount(self) -> int:
        """The amount in KRW, which looks like a price."""
        return 9_900 + self.number * 7_919 % 90 * 1_000

    @property
    def tracking_number(self) -> str:
        start = int.from_bytes(sha256(self.run.encode()).digest()[:8], "big")
        return f"{(start + self.number) % TRACKING_NUMBERS:012}"

    @property
    def carrier(self) -> str:
        return self.pick(CARRIERS)

    @property
    def name(self) -> str:
        """The customer's name."""
        return self.pick(NAMES[self.locale])

    def moment(self, kind: str) -> datetime:
        """Return the time of a step: `order`, `payment`, `shipping`, or any other name for the refund, the last one."""
        return self.now - LIFETIME + AFTER_ORDER.get(kind, LIFETIME)

    def at(self, kind: str) -> str:
        """Return the time of a step as RFC 3339."""
        return self.moment(kind).isoformat(timespec="seconds")

    def pick(self, choices: tuple[str, ...]) -> str:
        """Return a choice that depends on the order's number only."""
        return choices[self.number % len(choices)]
