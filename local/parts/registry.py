"""Starts Apicurio, an in-memory schema registry with Confluent's API, when `--registry` asks for it."""

from local.environment import HOST, StackSettings
from local.parts import maven
from local.processes.process import Program
from local.processes.supervisor import Supervisor
from local.services import answers

LABEL = "Apicurio Registry 2.6.13 (once, 142 MB)"


def start(supervisor: Supervisor, settings: StackSettings) -> None:
    """Start the registry and wait until it is ready, if the settings ask for one.

    Raises CommandError when the registry cannot be fetched or does not start.
    """
    if settings.registry:
        supervisor.wait(supervisor.start(_program(supervisor, settings)))


def _program(supervisor: Supervisor, settings: StackSettings) -> Program:
    libraries = maven.fetch(supervisor, settings.paths, "registry", LABEL)
    address = (f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={settings.port['registry']}")
    return Program(
        name="registry",
        argv=(
            maven.java(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            *address,
            "-jar",
            str(next(libraries.glob("*-runner.jar"))),
        ),
        cwd=libraries,
        ready=lambda: answers(f"http://{HOST}:{settings.port['registry']}/health/ready"),
    )
