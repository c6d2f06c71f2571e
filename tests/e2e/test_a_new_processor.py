"""CONTRIBUTING's *A processor in 20 lines*, followed to the letter in a copy of the project."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.environment import read
from local.paths import Paths
from tests.actors import Shop, Store, new_order, until

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|diff)\n ?# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCANS = 3

pytestmark = pytest.mark.long


def test_a_processor_made_as_the_page_says_applies_webhooks_and_the_audit_finds_no_fault(tmp_path: Path) -> None:
    checkout = a_copy(tmp_path / "hookstream")
    follow((ROOT / "CONTRIBUTING.md").read_text(), checkout)

    with running(checkout) as env:
        shop, carriers = Shop(env["GATEWAY_URL"], env["WEBHOOK_SECRET"]), Store(env["CARRIERS_DATABASE_URL"])
        for _ in range(SCANS):
            order = new_order()
            shop.post("shipping", {"orderId": order, "status": "delivered", "carrier": "DHL", "trackingNumber": order})

        carriers.wait_for("SELECT name FROM carriers WHERE scans = %s", SCANS)
        verified = hookstream(checkout, "verify")

    assert verified.returncode == 0, verified.stdout + verified.stderr


def a_copy(checkout: Path) -> Path:
    """Copy what is committed, and what is about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - where it is differs
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    return checkout


def follow(page: str, checkout: Path) -> None:
    """Write each file that the section shows, and make each change."""
    section = page[page.index("## A processor in 20 lines") :].split("\n## ", maxsplit=1)[0]
    for kind, name, text in BLOCK.findall(section):
        path = checkout / name
        if kind == "python":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        else:
            change(path, text)


def change(path: Path, diff: str) -> None:
    """Replace each run of `-` lines by the `+` lines that follow it."""
    text = path.read_text()
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", diff, re.MULTILINE):
        before, after = (re.sub(r"^.", "", lines, flags=re.MULTILINE) for lines in (old, new))
        assert text.count(before) == 1, f"{path} has not once: {before}"
        text = text.replace(before, after)
    path.write_text(text)


@contextmanager
def running(checkout: Path) -> Iterator[dict[str, str]]:
    """`make run` there, without the demo; what `.run/env` says of it."""
    argv = [sys.executable, "-m", "cli", "run", "--no-demo"]
    with subprocess.Popen(argv, cwd=checkout, env=environment(checkout)) as run:
        try:
            until(lambda: run.poll() is not None or hookstream(checkout, "status").returncode == 0, bool, 120)
            assert run.poll() is None, "the system did not come up"
            yield read(Paths(checkout, checkout / ".run"))
        finally:
            run.send_signal(signal.SIGINT)


def hookstream(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "cli", *words]
    return subprocess.run(argv, cwd=checkout, env=environment(checkout), capture_output=True, text=True, check=False)


def environment(checkout: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(checkout)}
