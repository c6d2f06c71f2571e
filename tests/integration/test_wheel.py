"""The wheel, built and unpacked away from the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.long

USE = """
from notifier.mail import composer
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events.topics import RECORDS

Codec(CommittedRegistry()).prepare(RECORDS)
print(composer.TEMPLATES)
"""


def test_the_wheel_holds_schemas_registry_templates_texts_and_migrations(tmp_path: Path) -> None:
    # Given the wheel of this checkout, unpacked where nothing else of it is
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "tests"))
    build = [sys.executable, "-m", "uv", "build", "--wheel", "--out-dir", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("hookstream-*.whl")
    installed = tmp_path / "installed"
    with ZipFile(wheel) as archive:
        archive.extractall(installed)

    # When its code asks for every schema and for the mails' templates
    env = {**os.environ, "PYTHONPATH": str(installed)}
    used = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, env=env, check=True, capture_output=True, text=True
    )

    # Then they are the wheel's own, and so is each migration, and none is missing
    assert used.stdout.strip() == str(installed / "notifier" / "mail" / "templates")
    for pattern in (
        "schemas/avro/*",
        "notifier/mail/templates/*.txt",
        "notifier/mail/templates/*.html",
        "console/*/templates/*.html",
        "console/*/texts/*.toml",
        "**/migrations/*.py",
        "**/contract_views.sql",
    ):
        wanted = {path.relative_to(source) for path in source.glob(pattern) if "build" not in path.parts}
        assert wanted
        assert wanted <= {path.relative_to(installed) for path in installed.rglob("*")}
