"""A schema registry for those who want to try one: Apicurio, which speaks Confluent's API, in memory."""

from local.environment import HOST, Settings
from local.parts import maven
from local.processes.process import Program
from local.processes.supervisor import Supervisor
from local.services import answers

WHAT = "Apicurio Registry 2.6.13 (once, 142 MB)"


def start(supervisor: Supervisor, settings: Settings) -> None:
    if settings.registry:
        supervisor.wait(supervisor.start(_program(supervisor, settings)))


def _program(supervisor: Supervisor, settings: Settings) -> Program:
    libraries = maven.fetch(supervisor, settings.place, "registry", WHAT)
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
