"""The packages of the product, as pyproject.toml ships them: tests, bench and docs are none."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = [name.removesuffix("*") for name in _PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]
