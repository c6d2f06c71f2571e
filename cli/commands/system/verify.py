"""`hookstream verify`: audits topics, stores and mails, and prints what is lost or double."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import environment, output
from cli.output import Json
from local.messages import CommandError, say
from runtime.json_value import JsonValue

if TYPE_CHECKING:
    from auditor.evidence import Accepted, Claim, Period

MAX_LISTED = 20


def verify(
    since: Annotated[
        str | None,
        typer.Option(help="Only records that Kafka received since, such as 2026-02-03T09:00:00+09:00 or a date."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only records that Kafka received before this time.")] = None,
    accepted: Annotated[
        Path | None,
        typer.Option(help="Webhooks that were answered 2xx: JSON lines of path and digest (SHA-256 of the body, hex)."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait for unfinished work.")] = 30.0,
    *,
    as_json: Json = False,
) -> None:
    """Audit topics, stores and mails of the running system: one line for each claim.

    The exit code is 1 when a claim does not hold; work that is unfinished after --timeout, and claims that are not
    checked, leave it 0. Nothing is changed.
    """
    from auditor.evidence import Period

    period = Period(_milliseconds("--since", since) or 0, _milliseconds("--until", until))
    claims = _audited(_accepted(accepted), period, timeout)
    if as_json:
        output.say_list("claims", map(_claim, claims), period=_period_text(period))
    else:
        say(f"records that Kafka took {_period_text(period)}")
        print_claims(claims)
    raise typer.Exit(int(any(claim.wrong for claim in claims)))


def _audited(accepted: "list[Accepted] | None", period: "Period", timeout_s: float) -> "list[Claim]":
    """Audit the running system. Raises CommandError, or the error of a wrong setting, when that is not possible."""
    import aiohttp
    import psycopg

    from auditor.audit import audit
    from auditor.log import Unreachable
    from runtime.confidential.wrong_setting import UnreadableSetting
    from stream.events import topics

    env = environment.read()
    urls = [f"{service.name.upper()}_DATABASE_URL" for service in topics.SERVICES]
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS", "MAIL_FROM", *urls)
    try:
        return audit(env, accepted, period=period, timeout_s=timeout_s)
    except UnreadableSetting:  # an OSError, and its sentence is enough
        raise
    except (Unreachable, psycopg.Error, aiohttp.ClientError, OSError) as failure:
        raise CommandError(f"The system cannot be audited: {type(failure).__name__}: {failure}".strip()) from failure


def print_claims(claims: "Iterable[Claim]") -> None:
    """Print a line for each claim, and below it at most MAX_LISTED wrong, unfinished and noted findings each."""
    for claim in claims:
        say(str(claim))
        for kind, lines in (("WRONG", claim.wrong), ("unfinished", claim.unfinished), ("noted", claim.noted)):
            for line in lines[:MAX_LISTED]:
                say(f"    {kind}: {line}")
            if len(lines) > MAX_LISTED:
                say(f"    {kind}: and {len(lines) - MAX_LISTED} more")


def _claim(claim: "Claim") -> dict[str, JsonValue]:
    return {**asdict(claim), "verdict": "wrong" if claim.wrong else "ok" if claim.checked else "not checked"}


def _accepted(file: Path | None) -> "list[Accepted] | None":
    import msgspec

    from auditor.evidence import Accepted

    if file is None:
        return None
    try:
        return [msgspec.json.decode(line, type=Accepted) for line in file.read_bytes().splitlines()]
    except (OSError, msgspec.DecodeError) as failure:
        raise CommandError(f"{file} is not a list of accepted webhooks: {failure}") from failure


def _milliseconds(option: str, moment: str | None) -> int | None:
    """Return the time `moment` that an option gives, in milliseconds since 1970 UTC; None for None.

    A time without a zone is UTC. Raises CommandError for a text that is no time.
    """
    if moment is None:
        return None
    try:
        at = datetime.fromisoformat(moment)
    except ValueError as failure:
        raise CommandError(
            f"{option}: {moment} is neither a time such as 2026-02-03T09:00:00+09:00 nor a date such as 2026-02-03."
        ) from failure
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _period_text(period: "Period") -> str:
    since = _instant(period.since) if period.since else "from the first record"
    until = period.until if period.until is not None else time.time() * 1000
    return f"{since} until {_instant(until)}"


def _instant(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
