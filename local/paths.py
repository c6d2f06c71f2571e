"""Where a run keeps its things: the checkout it runs, and a folder for data, logs, ports and secrets."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    root: Path
    run: Path

    @property
    def libraries(self) -> Path:
        """Fetched once for the checkout, whoever runs it, so that tests need not fetch again."""
        return self.root / ".run"

    @property
    def env_file(self) -> Path:
        return self.run / "env"

    @property
    def pid_file(self) -> Path:
        return self.run / "hookstream.pid"


def private(folder: Path) -> Path:
    """The folder, made where it is missing, for its owner alone: it holds bodies of webhooks, mails or logs."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """A reader sees the old text or the new one, never half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    draft.replace(path)
