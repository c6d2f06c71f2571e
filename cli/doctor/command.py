"""The command `hookstream doctor`: runs all checks in parallel and prints their findings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import typer

from cli import environment, output
from cli.doctor.finding import Finding, wrong
from cli.output import Json
from local.messages import say

Check = Callable[[Mapping[str, str]], Iterator[Finding]]
"""Yields the findings of one part, from the settings of the command line."""
COLOURS = {"ok": "green", "warning": "yellow", "wrong": "bright_red", "skipped": "white"}


def doctor(*, as_json: Json = False) -> None:
    """Check brokers, topics, schemas, databases, services, mail server, clocks, secrets and the spool's disk.

    The exit code is 1 when something is wrong; warnings and skipped checks leave it 0. Nothing is changed, and no mail
    is sent.
    """
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    checks = _checks()
    with ThreadPoolExecutor(len(checks)) as pool:
        findings = [
            finding for found in pool.map(lambda name: _run(name, checks[name], env), checks) for finding in found
        ]
    if as_json:
        output.say_list("findings", map(asdict, findings))
    else:
        _show(findings)
    raise typer.Exit(int(any(finding.state == "wrong" for finding in findings)))


def _checks() -> dict[str, Check]:
    from cli.doctor import clocks, databases, kafka, mail, secrets, services

    return {
        "brokers": kafka.check,
        "schemas": kafka.check_schemas,
        "databases": databases.check,
        "services": services.check,
        "mail": mail.check,
        "clocks": clocks.check,
        "secrets": secrets.check,
    }


def _run(name: str, check: Check, env: Mapping[str, str]) -> list[Finding]:
    """Return the findings of a check. An exception of the check becomes a finding, so that it hides no other check."""
    try:
        return list(check(env))
    except Exception as failure:  # noqa: BLE001 - an unforeseen answer of one part must not hide the others
        return [wrong(name, name, f"{type(failure).__name__}: {failure}", "Correct the setting that this names.")]


def _show(findings: Iterable[Finding]) -> None:
    counts = dict.fromkeys(COLOURS, 0)
    for finding in findings:
        counts[finding.state] += 1
        line = f"{finding.state.upper() if finding.state == 'wrong' else finding.state:8} {finding.check:10}"
        output.say_coloured(f"{line} {finding.subject}: {finding.found}", COLOURS[finding.state])
        if finding.remedy:
            say(f"{'':20}{finding.remedy}")
    say(", ".join(f"{count} {state}" for state, count in counts.items() if count))
