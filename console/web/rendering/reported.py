"""Recognises the sentences that services report, to show them in the reader's language. Pure.

Services report problems, reasons and refusals as English sentences, since programs and logs read them too. The
catalogue has each as a text whose English is the sentence itself, with `{names}` for what differs.
"""

import re
from collections.abc import Iterable, Mapping
from string import Formatter
from typing import NamedTuple

Found = tuple[str, dict[str, str]]
"""The key of a text, and the values of its names."""


class _Pattern(NamedTuple):
    """The pattern of a text: its key, its longest literal, and how many characters it has beside its values."""

    key: str
    regex: re.Pattern[str]
    fragment: str
    fixed: int


class Phrasebook:
    """The patterns of reported sentences, made of the texts by key in every language.

    If several match, the one with the most characters of its own wins.
    """

    def __init__(self, texts: Mapping[str, Iterable[str]]) -> None:
        made = [_pattern(key, text) for key, languages in texts.items() for text in languages]
        self._patterns = sorted(made, key=lambda pattern: -pattern.fixed)

    def find(self, sentence: str) -> Found | None:
        """Return the key and the values of the text that this sentence is; None if no text is like it."""
        for pattern in self._patterns:
            # The test for a fragment spares the match, which would take four fifths of the time.
            if pattern.fragment in sentence and (match := pattern.regex.fullmatch(sentence)):
                return pattern.key, match.groupdict()
        return None


def _pattern(key: str, text: str) -> _Pattern:
    parts, literals, seen = [], [""], set[str]()
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(re.escape(literal))
        literals.append(literal)
        if name:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>.*?)")
            seen.add(name)
    return _Pattern(key, re.compile("".join(parts), re.DOTALL), max(literals, key=len), sum(map(len, literals)))
