"""Picks fault after fault, by a seed, while a load goes through; heals; and has the outcome judged."""

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

import psycopg

from auditor.audit import audit
from auditor.evidence import Claim
from local.services import SERVICES, is_ready
from simulator.verdict import Verdict
from simulator.watch import WaitLimits
from tests.actors import Shop, until
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.load import Load
from tests.chaos.world import World

HOLD_S = (1.0, 4.0)
LONG_HOLD_S = (1.0, 12.0)
"""Longer than a consumer's session, so that partitions move."""
REST_S = (0.5, 2.0)
SHOWN = 100
SETTLED_S = 180.0
"""A mail whose sender died in the middle of it is called unknown after two minutes."""


@dataclass(frozen=True)
class Report:
    """What was done, what came of it."""

    seed: int
    injected: Counter[str]
    impossible: tuple[str, ...]
    claims: tuple[Claim, ...]
    verdict: Verdict
    seconds: float

    @property
    def lost(self) -> list[str]:
        """What should be there and is not, by either judge."""
        return [*self.verdict.lost, *self._wrong(lambda name: name not in DOUBLE)]

    @property
    def double(self) -> list[str]:
        """What is there once too often."""
        return [*self.verdict.double, *self._wrong(lambda name: name in DOUBLE)]

    @property
    def unfinished(self) -> list[str]:
        return [f"{claim.name}: {line}" for claim in self.claims for line in claim.unfinished]

    def _wrong(self, which: Callable[[str], bool]) -> list[str]:
        return [f"{claim.name}: {line}" for claim in self.claims if which(claim.name) for line in claim.wrong]

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {count}" for name, count in sorted(self.injected.items()))
        said = self.verdict
        wrong = [*self.lost, *self.double, *self.unfinished, *said.not_accepted]
        lines = [
            f"seed {self.seed}: {self.injected.total()} faults in {self.seconds:.0f} s: {faults}",
            *(f"  not done here: {line}" for line in self.impossible),
            *(f"  {claim}" for claim in self.claims),
            f"sent {said.sent} (+{said.duplicates} duplicates) · answers {dict(said.answers)}",
            (
                f"lost {len(self.lost)} · double {len(self.double)} · unknown mails {len(said.unknown)}"
                f" · not accepted {len(said.not_accepted)}"
            ),
            *(f"  {line}" for line in wrong[:SHOWN]),
            *([f"  and {len(wrong) - SHOWN} more"] * (len(wrong) > SHOWN)),
        ]
        return "\n".join(lines)


DOUBLE = ("DUPROW", "DUPMAIL")


def run(world: World, seed: int, faults: Sequence[Fault], hold_s: tuple[float, float], rate: float) -> Report:
    """Strike with each of `faults` in turn under load, then settle and judge."""
    began, chance = time.monotonic(), Random(seed)  # noqa: S311 - a seed replays a run
    possible = [fault for fault in faults if fault.needs is None or fault.needs in world.disks]
    left_out = sorted({fault.name for fault in faults} - {fault.name for fault in possible})
    load = Load(world.env, seed, rate)
    load.start()
    try:
        injected = Counter(fault.name for fault in possible if _strike(fault, world, chance, hold_s))
    finally:
        load.stop()
    heal(world)
    claims = audit(world.env, load.accepted(), timeout_s=SETTLED_S)
    verdict = load.judge(WaitLimits(quiet_s=10.0, linger_s=0.5))
    why = tuple(f"{name}: no small file system could be mounted (that takes root)" for name in left_out)
    return Report(seed, injected, why, tuple(claims), verdict, time.monotonic() - began)


def drawn(seed: int, seconds: float) -> list[Fault]:
    """So many faults that they take about this long: every kind before any kind again, in an order by the seed."""
    chance = Random(seed)  # noqa: S311 - a seed replays a run
    each = sum(LONG_HOLD_S) / 2 + sum(REST_S) / 2 + 1.5
    wanted: list[Fault] = []
    while len(wanted) < max(1, seconds / each):
        wanted += chance.sample(FAULTS, len(FAULTS))
    return wanted[: max(1, int(seconds / each))]


def heal(world: World) -> None:
    """Everybody is up and well; the operator sends again what the mail server had refused for good."""
    until(lambda: [service.name for service in SERVICES if not is_ready(service, world.env)], lambda ill: not ill, 120)
    desk = Shop(world.env["NOTIFIER_MANAGEMENT_URL"], "")
    token = {"Authorization": f"Bearer {world.env['MANAGEMENT_TOKEN']}", "Content-Type": "application/json"}
    listed = until(
        lambda: desk.request("GET", "/mails?status=failed&limit=1000", None, token), lambda said: said.status == 200
    )
    for mail in listed.body["mails"]:
        body = b'{"id": "%s", "as": "send_again"}' % mail["id"].encode()
        assert desk.request("POST", "/mails/resolve", body, token).status == 200


def _strike(fault: Fault, world: World, chance: Random, hold_s: tuple[float, float]) -> bool:
    """Let a fault happen and pass; False when it could not be made to happen, after all that happened before."""
    with ExitStack() as stack:
        try:
            hit = stack.enter_context(fault.strike(world, chance))
        except (AssertionError, OSError, subprocess.SubprocessError, psycopg.Error) as why:
            _say(f"{fault.name}: could not be done: {why}")
            return False
        seconds = chance.uniform(*hold_s)
        _say(f"{fault.name}: {hit}, for {seconds:.1f} s")
        time.sleep(seconds)
    time.sleep(chance.uniform(*REST_S))
    return True


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)  # noqa: T201
