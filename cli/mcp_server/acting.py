"""The tools that change something, offered only with --allow-actions; their docstrings are what the agent reads."""

from cli.clients import management
from runtime.json_value import JsonValue

Answer = dict[str, JsonValue]


def retry(service: str, event_id: str) -> Answer:
    """Make a retrying event of a service due now; return its last error and the number of the coming attempt.

    The result comes later: see `webhook`. An event that is not retrying is refused with the reason.
    """
    return dict(management.post(service, "/retry", {"id": event_id}))


def redrive(service: str, event_ids: list[str], dry_run: bool = True) -> Answer:  # noqa: FBT001, FBT002 - a JSON field
    """Make dead events of a service retrying again, with 0 attempts. With dry_run, the default, they are only counted.

    `matched` is the number of these events that are dead, `redriven` the number that were redriven.
    """
    return dict(management.post(service, "/dead/redrive", {"filters": {"id": event_ids}, "dryRun": dry_run}))


TOOLS = (retry, redrive)
