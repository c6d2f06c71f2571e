"""Checks the secrets known here: missing, short, published with this project, used twice, readable by others."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.doctor.finding import Finding, ok, skipped, warning, wrong
from local.services import API_KEYS, SECRETS
from runtime.config.secrets import MIN_BYTES, local_defaults, separate
from runtime.config.settings import value_of
from runtime.plain_text import counted

TOKENS = ("MANAGEMENT_TOKEN", "CONSOLE_TOKEN")
GENERATE = "Set it to a new one: `openssl rand -hex 32`."


def check(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the problems of tokens, webhook secrets and API keys, without their values.

    `ok` is yielded if at least one is set and none is wrong.
    """
    values = {name: value for name in (*TOKENS, *SECRETS, *API_KEYS) if (value := _value(env, name))}
    problems = [
        *_missing(env, values),
        *_short(values),
        *_published(env, values),
        *_repeated(values),
        *_readable(env),
    ]
    yield from problems
    if values and not any(problem.state == "wrong" for problem in problems):
        yield ok("secrets", counted(len(values), "secret"), f"each has at least {MIN_BYTES} bytes")


def _value(env: Mapping[str, str], name: str) -> str | None:
    try:
        return value_of(env, name)
    except OSError:
        return None


def _missing(env: Mapping[str, str], values: Mapping[str, str]) -> Iterator[Finding]:
    for name in TOKENS:
        if name not in values:
            remedy = f"Set {name} here as the services have it, for commands and this check."
            yield skipped("secrets", name, "not set here", remedy)
    if "WEBHOOK_SECRET" not in values and any(name in values for name in SECRETS):
        yield wrong("secrets", "WEBHOOK_SECRET", "not set, so the gateway does not start", GENERATE)
    for name in (*TOKENS, *SECRETS, *API_KEYS):
        path = env.get(f"{name}_FILE")
        if path and not os.access(path, os.R_OK):
            yield wrong("secrets", f"{name}_FILE", f"{path} cannot be read", "Correct the path or its permissions.")


def _short(values: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in values.items():
        if any(len(secret.removeprefix("whsec_").encode()) < MIN_BYTES for secret in separate(value)):
            found = f"shorter than {MIN_BYTES} bytes: it can be guessed from one signed webhook"
            yield wrong("secrets", name, found, GENERATE)


def _published(env: Mapping[str, str], values: Mapping[str, str]) -> Iterator[Finding]:
    state = warning if env.get("MODE") == "test" else wrong
    for name in local_defaults(values):
        yield state("secrets", name, "a development secret that is published with hookstream", GENERATE)


def _repeated(values: Mapping[str, str]) -> Iterator[Finding]:
    names = defaultdict[str, list[str]](list)
    for name, value in values.items():
        for secret in separate(value):
            names[secret].append(name)
    for shared in names.values():
        if len(shared) > 1:
            remedy = "Use a secret of its own for each: who knows one can otherwise act as the other."
            yield warning("secrets", " and ".join(shared), "have the same value", remedy)


def _readable(env: Mapping[str, str]) -> Iterator[Finding]:
    files = [Path(env[f"{name}_FILE"]) for name in (*TOKENS, *SECRETS, *API_KEYS) if env.get(f"{name}_FILE")]
    if folder := env.get("SECRETS_DIR"):
        files += [file for file in Path(folder).glob("*") if file.name.isupper()]
    for file in files:
        if file.is_file() and file.stat().st_mode & stat.S_IROTH:
            yield warning("secrets", str(file), "readable by every user of this machine", f"Run `chmod o-r {file}`.")
