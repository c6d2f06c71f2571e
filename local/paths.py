"""The folders of a run."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """`root` is the checkout that is run; `run` is the folder for its data, logs, ports and secrets."""

    root: Path
    run: Path

    @property
    def libraries(self) -> Path:
        """The folder of fetched Java programs. All runs of a checkout share it, so that tests do not fetch again."""
        return self.root / ".run"

    @property
    def env_file(self) -> Path:
        return self.run / "env"

    @property
    def pid_file(self) -> Path:
        return self.run / "hookstream.pid"


def private(folder: Path) -> Path:
    """Make a folder that only its owner can read, for webhooks, mails or logs, and return it. It may exist already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file atomically: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    draft.replace(path)
