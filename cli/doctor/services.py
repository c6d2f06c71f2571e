"""Checks that the services are ready and know the tokens of this machine, and the spool's disk."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.clients import console, health, management
from cli.doctor.finding import Finding, ok, skipped, warning, wrong
from local.messages import CommandError
from local.services import SERVICES
from runtime.plain_text import counted

NEARLY_FULL = 0.8
START = "Start it; its log says why it ended (`.run/log` of a local run)."


def check(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield findings for each service's readiness, the console's API and the gateway's spool.

    A part whose address or token is not set here is `skipped`.
    """
    for service in SERVICES:
        variable = service.variable("MANAGEMENT_URL")
        if not env.get(variable):
            yield skipped("services", service.name, f"{variable} is not set here", f"Set {variable} to check it.")
            continue
        state = health.check(env[variable])
        if state == "ready":
            yield ok("services", service.name, "ready")
        else:
            yield wrong("services", service.name, state, START if state == "down" else "See docs/operations.md.")
    yield _console(env)
    yield from _spool(env)


def _console(env: Mapping[str, str]) -> Finding:
    if not (env.get("CONSOLE_URL") and env.get("CONSOLE_TOKEN")):
        remedy = "Set both to check it, and to use `hookstream order` and `webhook`."
        return skipped("services", "console's API", "CONSOLE_URL or CONSOLE_TOKEN is not set here", remedy)
    try:
        console.fetch("labels")
    except CommandError as failure:
        return wrong("services", "console's API", str(failure), "Check CONSOLE_URL and CONSOLE_TOKEN.")
    return ok("services", "console's API", "answers")


def _spool(env: Mapping[str, str]) -> Iterator[Finding]:
    if not (env.get("GATEWAY_MANAGEMENT_URL") and env.get("MANAGEMENT_TOKEN")):
        yield skipped("spool", "gateway", "its management URL or token is not set here", "Set both to check it.")
        return
    try:
        state = management.get("gateway", "/spool")
    except CommandError as failure:
        yield wrong("spool", "gateway", str(failure), "Check GATEWAY_MANAGEMENT_URL and MANAGEMENT_TOKEN.")
        return
    if not state["configured"]:
        remedy = "Set SPOOL_DIR, so that webhooks are accepted while Kafka is away; without it they are answered 503."
        yield warning("spool", "gateway", "no spool", remedy)
    elif state["refused"]:
        yield wrong("spool", "gateway", f"its disk refuses writes: {state['refused']}", "Make room on that disk.")
    elif state["bytes"] > state["maxBytes"] * NEARLY_FULL:
        remedy = "Bring Kafka back, or raise SPOOL_MAX_BYTES: webhooks are answered 503 once it is full."
        yield wrong("spool", "gateway", f"{state['bytes']} of {state['maxBytes']} bytes are used", remedy)
    else:
        yield _free(env, state["maxBytes"]) or ok(
            "spool", "gateway", f"{counted(state['records'], 'webhook waits', 'webhooks wait')} in it"
        )


def _free(env: Mapping[str, str], wanted: int) -> Finding | None:
    """Return the finding about the free space for the spool; None if the spool's folder is not on this machine."""
    folder = Path(env.get("SPOOL_DIR") or "/nowhere")
    if not folder.is_dir():
        return None
    free = shutil.disk_usage(folder).free
    if free >= wanted:
        return ok("spool", str(folder), f"{free} bytes are free")
    remedy = "Make room, or lower SPOOL_MAX_BYTES to what the disk has."
    return warning("spool", str(folder), f"{free} bytes are free, and SPOOL_MAX_BYTES is {wanted}", remedy)
