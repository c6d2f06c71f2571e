"""How the command line starts beside a local system, whose topic settings it takes over by starting again."""

import os
import subprocess
import sys
from pathlib import Path

from local.paths import Paths
from runtime import __version__

START = """
import sys
from pathlib import Path
from cli import environment
environment.ROOT = Path(sys.argv.pop(1))
from cli.__main__ import main
main()
"""
KOREAN = """
from cli import output
output.escape_unencodable()
output.say_json({"location": "서울 📦"})
"""


def test_a_module_in_the_current_directory_is_not_executed(tmp_path: Path) -> None:
    system, elsewhere = Paths(tmp_path, tmp_path / ".run"), tmp_path / "elsewhere"
    for folder in (system.run, elsewhere):
        folder.mkdir()
    system.env_file.write_text("KAFKA_BOOTSTRAP_SERVERS=localhost:1\nTOPIC_PARTITIONS=3\n")
    (elsewhere / "json.py").write_text("raise SystemExit('executed')")
    start = tmp_path / "start.py"
    start.write_text(START)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "TOPIC_"))}

    argv = [sys.executable, str(start), str(tmp_path), "--version"]
    done = subprocess.run(argv, cwd=elsewhere, env=env, capture_output=True, text=True, check=False)

    assert (done.stdout, done.returncode) == (f"hookstream {__version__}\n", 0), done.stderr


def test_json_stays_json_where_the_output_is_ascii() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}

    done = subprocess.run([sys.executable, "-c", KOREAN], env=env, capture_output=True, text=True, check=True)

    assert done.stdout == '{\n  "location": "\\uc11c\\uc6b8 \\ud83d\\udce6"\n}\n'
