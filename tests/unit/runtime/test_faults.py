"""Fault injection: a named point fails as `FAULT` says, and any other point costs nothing."""

import os
import subprocess
import sys

import pytest

from runtime import faults
from runtime.faults import injection

SCRIPT = """
from runtime import faults

@faults.on_return("a.step")
def step(things):
    print("did", things, flush=True)
    return things

class Printer:
    @faults.halfway("a.half")
    def show(self, things):
        print(things, flush=True)

for things in ([], [1], [2]):
    step(things)
Printer().show([1, 2, 3])
print("done")
"""


def test_an_unnamed_point_is_the_function_itself() -> None:
    def step() -> None: ...

    assert faults.on_call("a.step")(step) is step
    assert faults.on_return("a.step")(step) is step
    assert faults.halfway("a.step")(step) is step


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("", 0, ["did []", "did [1]", "did [2]", "[1, 2, 3]", "done"]),
        ("a.step:exit", injection.EXIT_CODE, ["did []", "did [1]"]),
        ("a.step:exit:2", injection.EXIT_CODE, ["did []", "did [1]", "did [2]"]),
        ("a.step:raise", 1, ["did []", "did [1]"]),
        ("a.step:sleep:0.01", 0, ["did []", "did [1]", "did [2]", "[1, 2, 3]", "done"]),
        ("a.half:exit", injection.EXIT_CODE, ["did []", "did [1]", "did [2]", "[1]"]),
        ("another.step:exit", 0, ["did []", "did [1]", "did [2]", "[1, 2, 3]", "done"]),
    ],
)
def test_a_named_point_fails_when_there_was_something_to_do(fault: str, code: int, said: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**os.environ, "FAULT": fault}, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout.splitlines()) == (code, said)
