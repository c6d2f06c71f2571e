"""The details of actions in the audit: written as codes, read as sentences. Pure.

The record of an action that the console refused has the key of the message and its values as JSON, such as
`event.not_dead {"service": "payment"}`; that of a service's refusal has the service's sentence.
"""

import json
from collections.abc import Mapping

from console.web.rendering.texts import Language, Texts

UNKNOWN = "…"
"""Stands for a value that the record of an older console lacks."""


def code(key: str, values: Mapping[str, str]) -> str:
    """Return the detail that `text` shows as the message of this key with these values."""
    return f"{key} {json.dumps(values, ensure_ascii=False)}" if values else key


def text(texts: Texts, language: Language, detail: str | None) -> str:
    """Return a detail in this language: a code as its message, a sentence that a service reported as its translation.

    Anything else is returned as it is, and "" for None. A value of the message that the detail lacks is UNKNOWN.
    """
    key, _, values = (detail or "").partition(" ")
    if key not in texts.by_key:
        return texts.reported(language, detail or "") or detail or ""
    known = _values(values)
    return texts.text(language, key, **{name: known.get(name, UNKNOWN) for name in texts.names(key)})


def _values(text: str) -> dict[str, str]:
    try:
        values = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in values.items()} if isinstance(values, dict) else {}
