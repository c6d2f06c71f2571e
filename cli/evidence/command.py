"""The command `hookstream evidence`: writes the zip."""

import hashlib
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli import environment
from local.messages import CommandError, say
from runtime import __version__, clock
from runtime.json_value import JsonValue

OWNER_ONLY = 0o600
MASKED = "Personal data, card numbers and secrets are masked; the bodies are named by their digests."
WHOLE = "Nothing is masked: it holds personal data, and the bodies byte for byte."


def evidence(
    order: Annotated[str, typer.Argument(metavar="ORDER")],
    output: Annotated[Path | None, typer.Option(help="The file to write. Default: evidence-ORDER.zip here.")] = None,
    *,
    unredacted: Annotated[
        bool, typer.Option("--unredacted", help="Include personal data and the bodies. It needs --because.")
    ] = False,
    because: Annotated[str | None, typer.Option(help="Who decided to include personal data, and why.")] = None,
) -> None:
    """Write a zip for a third party about one order: webhooks verified again, offsets, scans, mails, a digest chain.

    The zip has a page to print, and says how to check it with standard tools. Only its owner can read the file; a file
    that exists is never overwritten.
    """
    from cli.evidence import bundle, collection, entries
    from cli.evidence.page import Summary
    from cli.evidence.redaction import without_personal_data

    if unredacted != bool(because and because.strip()):
        raise CommandError("Pass --unredacted and --because together: the reason is written into the manifest.")
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    collected = collection.collect(env, order)
    secrets_of = partial(collection.secrets_of, env)
    found = entries.build(collected, secrets_of, show=entries.unmasked if unredacted else without_personal_data)
    about = _about(env, because if unredacted else None)
    summary = Summary(_state(collected.life), collected.notes)
    files = bundle.files(order, found, about, summary, with_bodies=unredacted)
    name = bundle.safe_name(order)
    path = output or Path(f"{name}.zip")
    _write(path, bundle.zipped(files, name))
    say(f"wrote {path}: {len(found)} entries about order {order}")
    say(f"sha256 of MANIFEST.json: {hashlib.sha256(files['MANIFEST.json']).hexdigest()}")
    say("Tell it to the receiver by another way than the file; README.txt in it says how to check.")
    for note in collected.notes:
        say(f"note: {note}")


def _about(env: Mapping[str, str], because: str | None) -> dict[str, JsonValue]:
    made = clock.to_datetime(clock.now())
    return {
        "madeAt": made.isoformat(timespec="seconds").replace("+00:00", "Z") if made else "",
        "version": __version__,
        "mode": env.get("MODE", "live"),
        "redaction": WHOLE if because else MASKED,
        "unredactedBecause": because,
    }


def _state(life: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Return the columns of the order's state that are set; without a state, how many webhooks, events and mails."""
    state = life.get("state") or {}
    if not isinstance(state, dict) or not state:
        return [(name, str(len(life[name]))) for name in ("webhooks", "domain_events", "mails")]
    return [
        (name, str(value)) for name, value in state.items() if value is not None and not isinstance(value, dict | list)
    ]


def _write(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read. Raises CommandError when it exists or cannot be written."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
            file.write(data)
    except FileExistsError as exists:
        raise CommandError(f"{path} exists; remove it, or pass another --output.") from exists
    except OSError as failure:
        raise CommandError(f"{path} cannot be written ({failure.strerror}).") from failure
