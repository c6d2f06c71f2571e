"""Starts the simulator's APIs of providers, which the confirmer calls in a local run."""

import os
import sys

from local.environment import HOST, StackSettings, describe
from local.processes.process import Program
from local.processes.supervisor import Supervisor
from local.services import API_KEYS, answers


def start(supervisor: Supervisor, settings: StackSettings) -> None:
    """Start the simulated APIs and wait until they are ready. Raises CommandError when they do not start."""
    supervisor.wait(supervisor.start(_program(settings)))


def _program(settings: StackSettings) -> Program:
    env, port = describe(settings), settings.port["apis"]
    keys = {name: env[name] for name in API_KEYS}
    return Program(
        name="apis",
        argv=(sys.executable, "-m", "simulator.world.apis"),
        cwd=settings.paths.root,
        env={**os.environ, **keys, "HOST": HOST, "PORT": str(port)},
        ready=lambda: answers(f"http://{HOST}:{port}/health/ready"),
    )
