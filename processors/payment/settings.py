"""The settings of the payment processor."""

from typing import Literal

from pydantic import Field

from runtime.config.worker_settings import WorkerSettings


class PaymentSettings(WorkerSettings):
    """Settings of a service with a store, and whether the shop's order is required."""

    orders: Literal["optional", "required"] = Field(
        "optional", description="required: publish a success only once the shop's order is known and its amount agrees"
    )
