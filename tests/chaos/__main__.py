"""The long chaos test: `python -m tests.chaos [MINUTES] [SEED]`; exit code 1 if anything is lost, double or left."""

import random
import sys

from tests.chaos.nemesis import LONG_HOLD_S, draw_faults, run
from tests.chaos.world import ROOT, world

RATE = 25.0
LOGS = ROOT / ".run" / "chaos"


def main() -> int:
    """Run for about 30 minutes, or MINUTES, with a random seed, or SEED; keep the logs of a failed run in LOGS."""
    minutes = float(sys.argv[1]) if sys.argv[1:] else 30.0
    seed = int(sys.argv[2]) if sys.argv[2:] else random.randrange(1_000_000)  # noqa: S311 - any run will do
    print(f"seed {seed}, {minutes:g} minutes", flush=True)  # noqa: T201
    with world() as hurt:
        report = run(hurt, seed, draw_faults(seed, minutes * 60), LONG_HOLD_S, RATE)
        if bad := bool(report.lost or report.double or report.unfinished):
            hurt.keep_logs(LOGS / str(seed))
            print(f"the services' logs are in {LOGS / str(seed)}")  # noqa: T201
    print(report)  # noqa: T201
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
