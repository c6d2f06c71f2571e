"""The short form of `make chaos`: one fault of each family, on a system of its own, under load."""

import os
import subprocess
import sys

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.nemesis import HOLD_S, run
from tests.chaos.world import ROOT, world

SEED = 7
RATE = 15.0
SHORT = (
    "mail server drops after the dot",
    "worker killed",
    "postgres killed",
    "broker frozen",
    "clock stepped",
    "postgres's disk full",
    "gateway killed",
    "broker killed",
    "mail server defers",
    "back-ends terminated",
)


@pytest.mark.long
def test_under_one_fault_after_another_nothing_is_lost_and_nothing_is_double() -> None:
    named = {fault.name: fault for fault in FAULTS}

    with world() as hurt:
        report = run(hurt, SEED, [named[name] for name in SHORT], HOLD_S, RATE)
        command = [sys.executable, "-m", "cli", "verify"]
        verified = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **hurt.env}, check=False, stdout=subprocess.PIPE
        )
        full = hurt.count_in_logs("No space left on device")

    print(report)  # noqa: T201
    assert (report.lost, report.double, report.unfinished) == ([], [], []), str(report)
    assert report.verdict.sent > 100
    assert report.verdict.duplicates > 0
    assert set(report.verdict.answers) - {"200"}, "no fault has touched a sender"
    assert full > 0 or report.impossible, "the disk was not full"
    verdicts = verified.stdout.count(b" ok ") + verified.stdout.count(b" not checked ")
    assert (verified.returncode, verdicts) == (0, len(report.claims)), verified.stdout.decode()
