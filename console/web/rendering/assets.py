"""The static files, under names with a hash of their content, so that browsers may keep them for good."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "static"
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
PREFIX = "/static/"


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file: its name with a hash of its content, its content type, and its bytes."""

    name: str
    content_type: str
    content: bytes


class Assets:
    """The static files of a folder with a type in TYPES, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        files = [_read(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES]
        self._by_hashed_name = {asset.name: asset for _, asset in files}
        self._urls = {name: PREFIX + asset.name for name, asset in files}

    def url(self, name: str) -> str:
        """Return the URL path of the file `name`, given without its hash. Raises KeyError if there is no such file."""
        return self._urls[name]

    def find(self, hashed_name: str) -> Asset | None:
        """Return the file with this hashed name; None if there is none."""
        return self._by_hashed_name.get(hashed_name)


def _read(path: Path) -> tuple[str, Asset]:
    content = path.read_bytes()
    digest = sha256(content).hexdigest()[:12]
    return path.name, Asset(f"{path.stem}.{digest}{path.suffix}", TYPES[path.suffix], content)
