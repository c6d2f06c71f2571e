"""Fetches what the JVM runs, once: Maven checks the artifacts, a rename makes a fetch whole or absent."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from local.messages import Trouble, say
from local.paths import Paths
from local.processes.process import Program
from local.processes.supervisor import Supervisor

OLDEST_JAVA = 17
REMEDY = (
    "Install them (Debian and Ubuntu: apt install openjdk-17-jre-headless maven; macOS: brew install openjdk maven),"
    " set KAFKA_BOOTSTRAP_SERVERS to a broker you have, or run `docker compose up` instead."
)


def java() -> str:
    """The path of a Java new enough, or a sentence on how to come by one."""
    home = os.environ.get("JAVA_HOME")
    candidates = [f"{home}/bin/java"] * bool(home) + [found for found in [shutil.which("java")] if found]
    for candidate in candidates:
        if _version(candidate) >= OLDEST_JAVA:
            return candidate
    raise Trouble(f"Kafka on this machine needs Java {OLDEST_JAVA} or newer, and Maven to fetch it. {REMEDY}")


def fetch(supervisor: Supervisor, place: Paths, name: str, what: str) -> Path:
    """The folder with what `local/NAME/pom.xml` asks for."""
    pom = Path(__file__).parent / name / "pom.xml"
    libraries = place.libraries / name / "libs" / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if libraries.exists():
        return libraries
    command = (_maven(), "-B", "-q", "-f", str(pom), "prepare-package")
    say(f"fetching {what}")
    draft = libraries.with_name(f"{libraries.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    supervisor.errand(Program(f"{name}-fetch", (*command, f"-Dlibs={draft}"), ready=bool))
    if libraries.exists():  # another run was quicker
        shutil.rmtree(draft)
    else:
        draft.rename(libraries)
    return libraries


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise Trouble(f"Kafka on this machine needs Maven to fetch it, beside Java {OLDEST_JAVA} or newer. {REMEDY}")
    return found


def _version(command: str) -> int:
    try:
        said = subprocess.run([command, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(number[1]) if number else 0
