"""Recognises the sentences that services report, to show them in the reader's language. Pure.

Services report problems, reasons and refusals as English sentences, since programs and logs read them too. The
catalogue has each as a text whose English is the sentence itself, with `{names}` for what differs.
"""

import re
from collections.abc import Iterable, Mapping
from string import Formatter

Found = tuple[str, dict[str, str]]
"""The key of a text, and the values of its names."""


class Phrasebook:
    """The patterns of reported sentences, made of the texts by key in every language.

    If several match, the one with the most characters of its own wins.
    """

    def __init__(self, texts: Mapping[str, Iterable[str]]) -> None:
        made = [(key, *_pattern(text)) for key, languages in texts.items() for text in languages]
        self._patterns = [(key, pattern) for key, pattern, _ in sorted(made, key=lambda each: -each[2])]

    def find(self, sentence: str) -> Found | None:
        """Return the key and the values of the text that this sentence is; None if no text is like it."""
        for key, pattern in self._patterns:
            if match := pattern.fullmatch(sentence):
                return key, match.groupdict()
        return None


def _pattern(text: str) -> tuple[re.Pattern[str], int]:
    """Return the pattern of a text, and how many characters it has beside its values."""
    parts, fixed, seen = [], 0, set[str]()
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(re.escape(literal))
        fixed += len(literal)
        if name:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>.*?)")
            seen.add(name)
    return re.compile("".join(parts), re.DOTALL), fixed
