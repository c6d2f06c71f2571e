"""The catalogue of texts in Korean and English: TOML files, one a page and two for all pages (`layout`, `reported`).

A value of a text may decide a word by its number: `{count:mail|mails}` is `mail` for 1 and `mails` for any other.
"""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Literal, get_args

from console.labels import LABELS, provider_word
from console.web.rendering import formatting
from console.web.rendering.reported import Phrasebook
from runtime.json_value import JsonValue

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
WEB = Path(__file__).parent.parent
FOLDERS = (WEB / "texts", WEB.parent / "pages" / "texts")
REPORTED = "reported."
"""The beginning of the keys of sentences that services report in English, or in Korean."""


class Reported(str):
    """A sentence that a service has reported, as a value of a text: it is shown in the language of the text."""

    __slots__ = ()


class ProviderName(str):
    """The canonical name of a provider, as a value of a text: its label in the language of the text is shown."""

    __slots__ = ()


class _Plurals(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        if "|" not in format_spec:
            return str(super().format_field(value, format_spec))
        singular, plural = format_spec.split("|")
        return singular if str(value) == "1" else plural


_FORMATTER = _Plurals()


class Texts:
    """The texts by key, such as `search.title`; the file's name is not part of the key. No key may be there twice."""

    def __init__(self, folders: Sequence[Path] = FOLDERS) -> None:
        self.by_key: dict[str, Mapping[Language, str]] = {}
        for path in sorted(path for folder in folders for path in folder.glob("*.toml")):
            self._add("", tomllib.loads(path.read_text()))
        self._phrasebook = Phrasebook(
            {key: tuple(texts.values()) for key, texts in self.by_key.items() if key.startswith(REPORTED)}
        )

    def text(self, language: Language, key: str, **values: object) -> str:
        """Return the text of a key, with its `{names}` replaced by `values`.

        A `timedelta` becomes a duration of the language, a Reported sentence its translation, a ProviderName its label.
        Raises KeyError for an unknown key, and if one of the names has no value.
        """
        shown = {name: self._shown(language, value) for name, value in values.items()}
        return _FORMATTER.vformat(self.by_key[key][language], (), shown)

    def names(self, key: str) -> frozenset[str]:
        """Return the names of the values that a text needs. Raises KeyError for an unknown key."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.by_key[key]["en"]) if name)

    def reported(self, language: Language, sentence: str) -> str | None:
        """Return the translation of a sentence that a service has reported; None for raw data, such as an exception.

        Values in the sentence that are sentences too are translated as well.
        """
        found = self._phrasebook.find(sentence)
        if found is None:
            return None
        key, values = found
        translated = {name: self.reported(language, value) or value for name, value in values.items()}
        return self.text(language, key, **translated)

    def duration(self, language: Language, seconds: float | None) -> str:
        """Return a duration with its two largest units: 850 ms, 3.2 s, 5 min 12 s; a dash for None."""
        if seconds is None:
            return formatting.NONE
        parts = formatting.duration(seconds)
        return " ".join(self.text(language, f"duration.{unit}", number=number) for unit, number in parts)

    def label(self, language: Language, kind: str, name: str) -> str:
        """Return the label of a name, or the name itself if it has none; `kind` is types, statuses or providers."""
        return LABELS[kind].get(name, {}).get(language, name)

    def _shown(self, language: Language, value: object) -> object:
        match value:
            case timedelta():
                return self.duration(language, value.total_seconds())
            case Reported():
                return self.reported(language, value) or str(value)
            case ProviderName():
                return self.label(language, "providers", provider_word(value))
            case _:
                return value

    def _add(self, prefix: str, entries: Mapping[str, JsonValue]) -> None:
        if entries and entries.keys() <= set(LANGUAGES) and all(isinstance(text, str) for text in entries.values()):
            if prefix in self.by_key:
                raise ValueError(f"{prefix} is in the catalogue twice")
            self.by_key[prefix] = {language: entries[language] for language in LANGUAGES if language in entries}
            return
        for name, value in entries.items():
            self._add(f"{prefix}.{name}" if prefix else name, value)


@cache
def catalogue() -> Texts:
    """Return the texts of all pages, read once."""
    return Texts()


def preferred(accept_language: str) -> Language:
    """Return the first language of an Accept-Language header that is one of LANGUAGES, else English.

    The weights in the header are ignored.
    """
    for part in accept_language.lower().split(","):
        for language in LANGUAGES:
            if part.strip().startswith(language):
                return language
    return "en"
