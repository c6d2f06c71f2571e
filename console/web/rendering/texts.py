"""The catalogue of texts in Korean and English: TOML files, one a page and one for all pages (`layout.toml`)."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from console.labels import LABELS
from runtime.json_value import JsonValue

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
WEB = Path(__file__).parent.parent
FOLDERS = (WEB / "texts", WEB.parent / "pages" / "texts")


class Texts:
    """The texts by key, such as `search.title`; the file's name is not part of the key. No key may be there twice."""

    def __init__(self, folders: Sequence[Path] = FOLDERS) -> None:
        self.by_key: dict[str, Mapping[Language, str]] = {}
        for path in sorted(path for folder in folders for path in folder.glob("*.toml")):
            self._add("", tomllib.loads(path.read_text()))

    def text(self, language: Language, key: str, **values: object) -> str:
        """Return the text of a key, with its `{names}` replaced by `values`. Raises KeyError for an unknown key."""
        text = self.by_key[key][language]
        return text.format(**values) if values else text

    def label(self, language: Language, kind: str, name: str) -> str:
        """Return the label of a name, or the name itself if it has none; `kind` is types, statuses or providers."""
        return LABELS[kind].get(name, {}).get(language, name)

    def _add(self, prefix: str, entries: Mapping[str, JsonValue]) -> None:
        if entries and entries.keys() <= set(LANGUAGES) and all(isinstance(text, str) for text in entries.values()):
            if prefix in self.by_key:
                raise ValueError(f"{prefix} is in the catalogue twice")
            self.by_key[prefix] = {language: entries[language] for language in LANGUAGES if language in entries}
            return
        for name, value in entries.items():
            self._add(f"{prefix}.{name}" if prefix else name, value)


def preferred(accept_language: str) -> Language:
    """Return the first language of an Accept-Language header that is one of LANGUAGES, else English."""
    for part in accept_language.lower().split(","):
        for language in LANGUAGES:
            if part.strip().startswith(language):
                return language
    return "en"
