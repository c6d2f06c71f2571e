"""Reads settings from files: `NAME_FILE` names one file, `SECRETS_DIR` a folder with a file per setting."""

import os
from collections.abc import Callable
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from runtime.confidential.wrong_setting import read_file

Find = Callable[[str], tuple[str, Path | None]]
"""Takes a setting's name in capitals; returns the variable that leads to its file, and the path or None."""


class FileSource(PydanticBaseSettingsSource):
    """Reads settings from the files that `find` returns; an empty file sets nothing.

    Raises UnreadableSetting, which names the variable.
    """

    def __init__(self, settings_cls: type[BaseSettings], find: Find) -> None:
        super().__init__(settings_cls)
        self._find = find

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        variable, path = self._find(field_name.upper())
        return ((read_file(variable, path) or None) if path else None), field_name, False

    def __call__(self) -> dict[str, object]:
        fields = self.settings_cls.model_fields
        values = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in values.items() if value is not None}


def named_file(name: str) -> tuple[str, Path | None]:
    """Return "{name}_FILE" and the path in that variable, or None if it is not set. A `Find`."""
    variable = f"{name}_FILE"
    return variable, Path(path) if (path := os.environ.get(variable)) else None


def secret_file(name: str) -> tuple[str, Path | None]:
    """Return "SECRETS_DIR" and the path of the file `name` in that folder, or None without such a file. A `Find`."""
    folder = os.environ.get("SECRETS_DIR")
    path = Path(folder, name) if folder else None
    return "SECRETS_DIR", path if path and path.exists() else None
