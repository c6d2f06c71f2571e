"""The settings of the order processor."""

from pydantic import Field

from runtime.config.worker_settings import WorkerSettings


class OrderSettings(WorkerSettings):
    """Settings of a service with a store. The order view follows other services and may lag a little behind them."""

    fetch_gather_ms: int = Field(200, ge=0, le=5000, description="as for every service with a store")
