"""One term per idea: no name in the product is a word that docs/glossary.md replaced."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.product import PACKAGES, ROOT

REPLACED = """
    told said asked heard fact facts truth truths news announce announced notice question receipt inquiry again
    unaskable circumstances where stood place span woken wake adopt orphan take hold pace rest works fails silence
    deafness goes_on endure patience out_of_patience desk failing parked given_up abandoned kept kept_aside one another
    whoever rejections
""".split()
"""Compared without case and underscores: `_said`, `SAID` and `OutOfPatience` are such words, `is_failing` is none."""
EXCEPTIONS = {
    ("console/", "span"): "the column `span` of the log's counts: the length of an hour or a day",
    ("gateway/http/token_bucket.py", "take"): "what is done with the tokens of a token bucket",
    ("processors/payment/domain/statuses.py", "inquiry"): "the card networks' stage before a dispute",
    ("providers/sweettracker/webhook.py", "where"): "SweetTracker's field for the place of a scan",
}
"""The words that stay, by the beginning of the path and the word, with the reason. `*rest` and `**rest` stay too."""
WORDS = frozenset(word.replace("_", "") for word in REPLACED)


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of everything that the source names.

    That is: classes, functions, arguments, imports `as`, and targets of assignments, `for`, `with`, `except`, `match`
    and comprehensions, attributes included. A name is followed to its definition, so uses of names are not yielded.
    """
    unpacked = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Starred)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="rest") if id(node) in unpacked:
                pass
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield node.lineno, name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)) if name != "rest":
                yield node.lineno, name
            case _:
                pass


def word_of(name: str) -> str:
    return name.replace("_", "").lower()


def is_exception(path: str, name: str) -> bool:
    return any(path.startswith(beginning) and word_of(name) == word for beginning, word in EXCEPTIONS)


def replaced_words(file: Path) -> list[str]:
    path = file.relative_to(ROOT).as_posix()
    found = [(1, file.stem), *names(ast.parse(file.read_text()))]
    return [f"{path}:{line} {name}" for line, name in found if word_of(name) in WORDS and not is_exception(path, name)]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_is_a_replaced_word(package: str) -> None:
    files = [file for file in (ROOT / package).rglob("*.py") if "migrations" not in file.parts]
    found = [name for file in files for name in replaced_words(file)]

    assert not found, "docs/glossary.md has the terms to use instead"


@pytest.mark.parametrize(("beginning", "word"), EXCEPTIONS)
def test_every_exception_is_needed(beginning: str, word: str) -> None:
    files = [ROOT / beginning] if beginning.endswith(".py") else list((ROOT / beginning).rglob("*.py"))

    assert any(word_of(name) == word for file in files for _, name in names(ast.parse(file.read_text())))


@pytest.mark.parametrize(
    "source",
    [
        "_said = 1",
        "self.SAID = 1",
        "class Said: pass",
        "def said(): pass",
        "async def said(): pass",
        "lambda *, said: 1",
        "def f(**said): pass",
        "for said in (): pass",
        "[0 for said in ()]",
        "(said := 1)",
        "with a as said: pass",
        "import a as said",
        "try: pass\nexcept OSError as said: pass",
        "match a:\n case [int() as said]: pass",
        "match a:\n case [*said]: pass",
        "match a:\n case {**said}: pass",
        "a, *said = b",
    ],
)
def test_a_name_is_found_wherever_python_allows_one(source: str) -> None:
    assert [word_of(name) for _, name in names(ast.parse(source)) if word_of(name) in WORDS] == ["said"]


@pytest.mark.parametrize(
    "source", ["a, *rest = b", "match a:\n case [b, *rest]: pass", "match a:\n case {**rest}: pass"]
)
def test_the_rest_of_what_is_unpacked_may_have_this_name(source: str) -> None:
    assert "rest" not in [name for _, name in names(ast.parse(source))]


def test_the_glossary_is_short() -> None:
    terms = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)

    assert len(terms) - 1 <= 40
