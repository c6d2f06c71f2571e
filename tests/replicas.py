"""Replicas of a service: processes with the service's environment, another management port, and perhaps a fault."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from local import services
from local.paths import Paths
from local.processes.supervisor import MARK
from runtime.faults.injection import EXIT_CODE
from stream.events.topics import PARTITIONS
from tests.actors import until
from tests.kafka_settings import admin_of, short_session
from tests.ports import free_port
from tests.processes import frozen

ROOT = Path(__file__).parents[1]
ENDS_S = 20.0
NUMBERS = count(1)
RUN = "{0}; import runpy; runpy.run_module('{1}', run_name='__main__', alter_sys=True)"


@dataclass
class Replica:
    """One process of a service, its log, and the URL of its management listener.

    `is_sound` is True if it was started without a fault and with the service's own variables.
    """

    process: "subprocess.Popen[bytes]"
    log: Path
    url: str
    token: str
    is_sound: bool

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """Return the lines of the log, as JSON, or those whose `event` is this one."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if event in ("", line["event"])]

    def wait_for(self, event: str, times: int = 1) -> list[dict[str, Any]]:
        """Return the log lines of an event once there are at least `times`. Raises as `until`."""
        return until(lambda: self.lines(event), lambda lines: len(lines) >= times)

    def owns(self) -> int:
        """Return the number of partitions that the replica owns, by its log."""
        signs = {"partitions.assigned": 1, "partitions.revoked": -1, "partitions.lost": -1}
        return sum(signs.get(line["event"], 0) * line.get("count", 0) for line in self.lines())

    def is_ready(self) -> bool:
        return services.answers(f"{self.url}/health/ready")

    def problems(self) -> list[str]:
        """Return the reasons why the replica is not ready; empty when it is."""
        try:
            urllib.request.urlopen(f"{self.url}/health/ready", timeout=10).close()
        except urllib.error.HTTPError as not_ready:
            return list(json.loads(not_ready.read())["problems"])
        return []

    def metric(self, name: str) -> float:
        """Return the sum of all samples of the metrics whose names start with `name`; 0 without any."""
        request = urllib.request.Request(f"{self.url}/metrics", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def dies_of_its_fault(self) -> None:
        """Wait until the process has ended by its fault, and assert that it did."""
        assert self.process.wait(ENDS_S * 2) == EXIT_CODE, self.log.read_text()[-2000:]

    def is_frozen_by_its_fault(self) -> None:
        """Wait until the process has stopped itself by its fault. Raises as `until`."""
        state = lambda: Path("/proc", str(self.process.pid), "stat").read_text().rpartition(") ")[2][0]  # noqa: E731
        until(state, lambda seen: seen == "T")

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process, also when it is suspended or dead already, and wait for its end."""
        self.process.kill()
        self.process.wait(ENDS_S)

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM, wait for the end, and return the exit code and the seconds that it took."""
        began = time.monotonic()
        self.process.terminate()
        return self.process.wait(ENDS_S), time.monotonic() - began


@dataclass
class Replicas:
    """The replicas of one service, in the service's consumer group. `topics` is the number of topics that it reads."""

    system: dict[str, str]
    service: services.LocalService
    topics: int
    running: list[Replica] = field(default_factory=list)

    def start(self, fault: str = "", prologue: str = "", **variables: str) -> Replica:
        """Start a replica without waiting for it.

        `fault` is a value of FAULT, `prologue` is Python code that runs before the service does.
        """
        program = services.program(self.service, Paths(ROOT, Path(self.system["RUN_FOLDER"])), self.system)
        port, log = free_port(), Path(self.system["RUN_FOLDER"], "log", f"replica-{next(NUMBERS)}.log")
        of_run = {"MANAGEMENT_PORT": str(port), MARK: self.system["RUN_FOLDER"], "FAULT": fault}
        argv = (sys.executable, "-c", RUN.format(prologue, self.service.module)) if prologue else program.argv
        env = {**program.env, **of_run, **variables}
        with log.open("wb") as out:
            process = subprocess.Popen(argv, cwd=ROOT, env=env, stderr=out, start_new_session=True)
        url, is_sound = f"http://127.0.0.1:{port}", not (fault or prologue or variables)
        self.running.append(Replica(process, log, url, self.system["MANAGEMENT_TOKEN"], is_sound))
        return self.running[-1]

    def join(self, fault: str = "", prologue: str = "", **variables: str) -> Replica:
        """Start a replica, and wait until it owns partitions; arguments as for `start`."""
        replica = self.start(fault, prologue, **variables)
        until(replica.owns, bool)
        return replica

    def alone(self) -> Replica:
        """Keep one running sound replica, or start one; kill all others; return it once it owns all partitions."""
        sound = [replica for replica in self.running if replica.is_sound and replica.process.poll() is None]
        stays = sound[0] if sound else self.start()
        for other in self.running:
            if other is not stays:
                other.kill()
        self.running = [stays]
        until(stays.owns, lambda owned: owned == PARTITIONS * self.topics)
        return stays

    def only(self, fault: str = "", prologue: str = "", **variables: str) -> Replica:
        """Stop all replicas and start one; return it once it owns all partitions. Arguments as for `start`."""
        self.none()
        replica = self.start(fault, prologue, **variables)
        until(replica.owns, lambda owned: owned == PARTITIONS * self.topics)
        return replica

    def none(self) -> None:
        """Stop all replicas with SIGTERM."""
        for other in self.running:
            other.stop()
        self.running.clear()

    def end(self) -> None:
        """Kill all replicas."""
        while self.running:
            self.running.pop().kill()


@contextmanager
def replicas_of(system: dict[str, str], name: str, topics: int, *, session_ms: int = 3000) -> Iterator[Replicas]:
    """Yield replicas of a service, none of them started, and suspend the system's own process of it meanwhile.

    That process therefore loses its partitions to the replicas. `topics` is the number of topics that the service
    reads. Kafka drops a member that is silent for `session_ms`. After the block, wait until the system's own process is
    ready again.
    """
    (service,) = (one for one in services.SERVICES if one.name == name)
    replicas = Replicas(system, service, topics)
    with frozen(system, name.upper()), short_session(system, name, session_ms):
        try:
            yield replicas
        finally:
            replicas.end()
    until(lambda: services.is_ready(service, system), bool, 60)


def shares(system: dict[str, str], group: str) -> list[dict[str, int]]:
    """Return, for each member of a consumer group, the number of its partitions by topic."""
    admin = admin_of(system)
    (requested,) = admin.describe_consumer_groups([group]).values()
    assigned = [member.assignment.topic_partitions for member in requested.result(10).members]
    return [Counter(partition.topic for partition in partitions) for partitions in assigned]
