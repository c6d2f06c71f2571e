"""Fetches Java programs once. Maven checks the artifacts, and a rename makes each fetch complete or absent."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from local.messages import CommandError, say
from local.paths import Paths
from local.processes.process import Program
from local.processes.supervisor import Supervisor

OLDEST_JAVA = 17
REMEDY = (
    "Install them (Debian and Ubuntu: apt install openjdk-17-jre-headless maven; macOS: brew install openjdk maven),"
    " set KAFKA_BOOTSTRAP_SERVERS to a broker you have, or run `docker compose up` instead."
)


def java() -> str:
    """Return the path of a Java of at least OLDEST_JAVA.

    Raises CommandError, with how to install it, when there is none.
    """
    home = os.environ.get("JAVA_HOME")
    candidates = [f"{home}/bin/java"] * bool(home) + [found for found in [shutil.which("java")] if found]
    for candidate in candidates:
        if _version(candidate) >= OLDEST_JAVA:
            return candidate
    raise CommandError(f"Kafka on this machine needs Java {OLDEST_JAVA} or newer, and Maven to fetch it. {REMEDY}")


def fetch(supervisor: Supervisor, paths: Paths, name: str, label: str) -> Path:
    """Return the folder with the artifacts of `local/parts/NAME/pom.xml`, fetched when missing.

    `label` describes the artifacts in the message printed before a fetch. Raises CommandError without Maven, or when
    the fetch fails.
    """
    pom = Path(__file__).parent / name / "pom.xml"
    libraries = paths.libraries / name / "libs" / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if libraries.exists():
        return libraries
    command = (_maven(), "-B", "-q", "-f", str(pom), "prepare-package")
    say(f"fetching {label}")
    draft = libraries.with_name(f"{libraries.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    supervisor.run_to_end(Program(f"{name}-fetch", (*command, f"-Dlibs={draft}"), ready=bool))
    if libraries.exists():  # another run has fetched them meanwhile
        shutil.rmtree(draft)
    else:
        draft.rename(libraries)
    return libraries


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise CommandError(
            f"Kafka on this machine needs Maven to fetch it, beside Java {OLDEST_JAVA} or newer. {REMEDY}"
        )
    return found


def _version(command: str) -> int:
    try:
        output = subprocess.run([command, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(number[1]) if number else 0
