"""The tools that change something. They are there only where the operator allows them."""

from cli.clients import management
from runtime.json_value import JsonValue

Answer = dict[str, JsonValue]


def retry(service: str, event_id: str) -> Answer:
    """Retry a retrying event of a service now."""
    return dict(management.post(service, "/retry", {"id": event_id}))


def redrive(service: str, event_ids: list[str], dry_run: bool = True) -> Answer:  # noqa: FBT001, FBT002 - a JSON field
    """Re-open dead events of a service, which are then processed again. With dry_run they are only counted."""
    return dict(management.post(service, "/dead/redrive", {"filters": {"id": event_ids}, "dryRun": dry_run}))


TOOLS = (retry, redrive)
