"""`hookstream pause` and `hookstream resume`: a service, or the webhooks of a provider."""

import getpass
from typing import Annotated

import typer

from cli import local_time
from cli.dead import options
from local.messages import CommandError, say
from runtime.json_value import JsonValue

What = Annotated[list[str], typer.Argument(metavar="SERVICE | provider NAME", help="What to pause or resume.")]
PROVIDER = "provider"


def pause(
    what: What,
    reason: Annotated[str, typer.Option(help="Why: shown wherever the pause is shown.")] = "no reason given",
) -> None:
    """Pause a service or a provider until it is resumed. The pause survives restarts; no webhook is lost or refused.

    A paused service finishes the batch in hand, then consumes, retries and sends nothing. The webhooks of a paused
    provider are accepted and quarantined, and released in order when it is resumed.
    """
    from cli.clients import management

    service, provider = _target(what)
    by = getpass.getuser()
    if provider is None:
        _say_service(management.post(service, "/pause", {"reason": reason, "by": by}))
    else:
        body = {"provider": provider, "reason": reason, "by": by}
        _say_provider(provider, management.post(service, "/providers/pause", body)["state"])


def resume(what: What) -> None:
    """Resume a service or a provider. Repeating the command changes nothing."""
    from cli.clients import management

    service, provider = _target(what)
    if provider is None:
        _say_service(management.post(service, "/resume", {}))
    else:
        body = {"provider": provider, "by": getpass.getuser()}
        _say_provider(provider, management.post(service, "/providers/resume", body)["state"])


def _target(what: list[str]) -> tuple[str, str | None]:
    """Return the service to call, and the provider to pause or resume; None if the service itself is meant.

    Raises CommandError for other words.
    """
    match what:
        case [name] if name in options.STORES:
            return name, None
        case [word, name] if word == PROVIDER:
            return "gateway", name
    services = ", ".join(options.STORES)
    raise CommandError(f"Name a service ({services}), or say `provider` and its name, such as `provider toss`.")


def _say_service(answer: JsonValue) -> None:
    paused = answer["pause"]
    if paused is None:
        return say(f"{answer['service']} is running")
    since = local_time.of_micros(paused["since"])
    say(f"{answer['service']} is paused since {since} by {paused['by']}: {paused['reason']}")


def _say_provider(provider: str, state: JsonValue) -> None:
    if state is None or state["state"] == "active":
        return say(f"{provider} is active")
    if state["state"] == "paused":
        since = local_time.of_micros(state["since"])
        return say(f"{provider} is paused since {since} by {state['by']}: {state['reason']}")
    say(f"{provider} is resumed; its quarantined webhooks are being released in order")
