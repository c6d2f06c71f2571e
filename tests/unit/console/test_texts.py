"""The catalogue: every key in every language, every key that a template names is there, and none is unused."""

import re
from pathlib import Path
from string import Formatter

import pytest

from console.web.rendering.navigation import SECTIONS
from console.web.rendering.renderer import TEMPLATES
from console.web.rendering.texts import LANGUAGES, Texts, preferred

ROOT = Path(__file__).parents[3]
TEXTS = Texts()
SOURCES = [
    *(path for folder in TEMPLATES for path in folder.glob("*.html")),
    *(ROOT / "console" / "pages").rglob("*.py"),
    *(ROOT / "console" / "web").rglob("*.py"),
]
NAMED = re.compile(r"""(?<![\w.])t\(\s*["']([a-z_.0-9A-Z]+)["']\s*[,)]""")
PREFIXES = re.compile(r"""(?<![\w.])t\(\s*["']([a-z_.0-9A-Z]+[._])["']\s*~""")
WORDS = re.compile(r"""(?<![\w.])word\(\s*["']([a-z_]+)["']""")
FOUND_OTHERWISE = ("reported.", "duration.")
"""Keys that are found by a sentence, or made of a unit."""
PLURAL = re.compile(
    r"\{(count|dead|events|chosen|stay|matched|attempt|minutes|records)\} (?:\w+ ){0,2}(?!times\b)[a-z]+s\b"
)
"""A number before a plural noun."""
PARTICLES = re.compile(r"[을이은와]\([를가는과]\)|\([으이]\)|(?<!\})\}(?:을|를|이|가|은|는|와|과|로|으로)(?=[ .,?:])")
"""A Korean particle right after a value, or both forms of one: which is right depends on the value's last sound."""
QUOTED = re.compile(r"""["']([a-z_]+(?:\.[a-z_A-Z0-9]+)+)["']""")


@pytest.mark.parametrize("key", TEXTS.by_key)
def test_a_key_has_every_language_with_the_same_values(key: str) -> None:
    texts = TEXTS.by_key[key]

    assert set(texts) == set(LANGUAGES)
    assert all(text.strip() for text in texts.values())
    assert len({frozenset(name for _, name, _, _ in Formatter().parse(text) if name) for text in texts.values()}) == 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_what_a_template_names_is_in_the_catalogue(path: Path) -> None:
    missing = [key for key in NAMED.findall(path.read_text()) if key not in TEXTS.by_key]

    assert not missing


@pytest.mark.parametrize("key", [key for key in TEXTS.by_key if not key.startswith("reported.")])
def test_a_noun_after_a_number_has_a_singular(key: str) -> None:
    assert not PLURAL.search(TEXTS.by_key[key]["en"])


@pytest.mark.parametrize(("count", "text"), [(1, "1 mail has no recipient."), (2, "2 mails have no recipient.")])
def test_a_number_decides_the_form_of_a_word(count: int, text: str) -> None:
    assert TEXTS.text("en", "alarm.mails_no_recipient", count=count) == text
    assert TEXTS.text("en", "alarm.mails_no_recipient", count=str(count)) == text


@pytest.mark.parametrize("key", TEXTS.by_key)
def test_a_korean_text_needs_no_particle_that_depends_on_a_value(key: str) -> None:
    assert not PARTICLES.search(TEXTS.by_key[key]["ko"])


def test_every_section_has_its_text() -> None:
    assert all(f"nav.{section.name}" in TEXTS.by_key for section in SECTIONS)


def test_no_key_is_unused() -> None:
    sources = "\n".join(path.read_text() for path in SOURCES)
    named = {*NAMED.findall(sources), *QUOTED.findall(sources)}
    kinds = (f"{kind}." for kind in WORDS.findall(sources))
    prefixes = (*PREFIXES.findall(sources), *kinds, *FOUND_OTHERWISE)

    assert not [key for key in TEXTS.by_key if key not in named and not key.startswith(prefixes)]


@pytest.mark.parametrize(
    ("header", "language"),
    [("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en-US", "en"), ("fr, ko;q=0.5", "ko"), ("", "en"), ("de", "en")],
)
def test_the_browsers_first_language_that_we_have_is_used(header: str, language: str) -> None:
    assert preferred(header) == language
