"""Injects faults one after the other under load, heals the system, and has the auditor and the simulator judge it."""

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
"""The range of a fault's duration; up to longer than a consumer's session, so that partitions move."""
REST_S = (0.5, 2.0)
SHOWN = 100
SETTLED_S = 180.0
"""How long the auditor waits for the system to finish: a mail whose sender died is `unknown` after two minutes."""


@dataclass(frozen=True)
class Report:
    """The faults injected and the judgements of a run.

    `impossible` has a line for each kind of fault that could not be injected on this machine, `claims` are the
    auditor's, `verdict` is the simulator's. `seconds` is the duration of the whole run.
    """

    seed: int
    injected: Counter[str]
    impossible: tuple[str, ...]
    claims: tuple[Claim, ...]
    verdict: Verdict
    seconds: float

    @property
    def lost(self) -> list[str]:
        """A line for each finding of either judge that is not in `double`."""
        return [*self.verdict.lost, *self._wrong(lambda name: name not in DOUBLE)]

    @property
    def double(self) -> list[str]:
        """A line for each row or mail that exists too often, by either judge."""
        return [*self.verdict.double, *self._wrong(lambda name: name in DOUBLE)]

    @property
    def unfinished(self) -> list[str]:
        """A line for each thing that the auditor still waited for at the end."""
        return [f"{claim.name}: {line}" for claim in self.claims for line in claim.unfinished]

    def _wrong(self, which: Callable[[str], bool]) -> list[str]:
        return [f"{claim.name}: {line}" for claim in self.claims if which(claim.name) for line in claim.wrong]

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {count}" for name, count in sorted(self.injected.items()))
        verdict = self.verdict
        wrong = [*self.lost, *self.double, *self.unfinished, *verdict.not_accepted]
        lines = [
            f"seed {self.seed}: {self.injected.total()} faults in {self.seconds:.0f} s: {faults}",
            *(f"  not done here: {line}" for line in self.impossible),
            *(f"  {claim}" for claim in self.claims),
            f"sent {verdict.sent} (+{verdict.duplicates} duplicates) · answers {dict(verdict.answers)}",
            (
                f"lost {len(self.lost)} · double {len(self.double)} · unknown mails {len(verdict.unknown)}"
                f" · not accepted {len(verdict.not_accepted)}"
            ),
            *(f"  {line}" for line in wrong[:SHOWN]),
            *([f"  and {len(wrong) - SHOWN} more"] * (len(wrong) > SHOWN)),
        ]
        return "\n".join(lines)


DOUBLE = ("DUPROW", "DUPMAIL")


def run(world: World, seed: int, faults: Sequence[Fault], hold_s: tuple[float, float], rate: float) -> Report:
    """Inject each of `faults` in turn under a load of `rate` webhooks a second, then heal and judge.

    A fault lasts a random number of seconds in `hold_s`. Faults that need a disk that `world` lacks are left out.
    """
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


def draw_faults(seed: int, seconds: float) -> list[Fault]:
    """Return faults that together last about `seconds`: every kind before any kind again, in an order by the seed."""
    chance = Random(seed)  # noqa: S311 - a seed replays a run
    each = sum(LONG_HOLD_S) / 2 + sum(REST_S) / 2 + 1.5
    wanted: list[Fault] = []
    while len(wanted) < max(1, seconds / each):
        wanted += chance.sample(FAULTS, len(FAULTS))
    return wanted[: max(1, int(seconds / each))]


def heal(world: World) -> None:
    """Wait until all services are ready; then resolve each `failed` mail as an operator would: send it again."""
    until(lambda: [service.name for service in SERVICES if not is_ready(service, world.env)], lambda ill: not ill, 120)
    notifier = Shop(world.env["NOTIFIER_MANAGEMENT_URL"], "")
    token = {"Authorization": f"Bearer {world.env['MANAGEMENT_TOKEN']}", "Content-Type": "application/json"}
    listed = until(
        lambda: notifier.request("GET", "/mails?status=failed&limit=1000", None, token),
        lambda reply: reply.status == 200,
    )
    for mail in listed.body["mails"]:
        body = b'{"id": "%s", "as": "send_again"}' % mail["id"].encode()
        assert notifier.request("POST", "/mails/resolve", body, token).status == 200


def _strike(fault: Fault, world: World, chance: Random, hold_s: tuple[float, float]) -> bool:
    """Inject a fault, heal it and rest; return False if it could not be injected, as after an earlier fault."""
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
