"""What the payment processor reads from its environment."""

from typing import Literal

from pydantic import Field

from runtime.config.settings import StoreSettings


class PaymentSettings(StoreSettings):
    """How strictly a payment is held against the shop's order."""

    orders: Literal["optional", "required"] = Field(
        "optional", description="required: a success is told only once the shop's order is known and its amount agrees"
    )
