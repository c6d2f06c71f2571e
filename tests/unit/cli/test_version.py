"""`hookstream --version` names what runs, for reports and for scripts."""

from typer.testing import CliRunner

from cli.__main__ import app
from runtime import __version__


def test_the_version_is_printed_alone() -> None:
    printed = CliRunner().invoke(app, ["--version"])

    assert (printed.exit_code, printed.output) == (0, f"hookstream {__version__}\n")
