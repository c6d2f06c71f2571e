"""One term per idea: no identifier is a word that docs/glossary.md replaced."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PRODUCT = "auditor cli confirmer console gateway local notifier processors providers runtime simulator stream".split()
REPLACED = """
    told said asked heard fact facts truth truths news announce announced where stood woken wake adopt orphan
    hold pace works fails silence deafness goes_on endure patience desk given_up parked another whoever
    Told Fact Notice Question Receipt Inquiry Heard Again Unaskable Circumstances Stood Place Span Pace Silence Deafness
    Patience OutOfPatience Desk rejections Rejections
""".split()
THEIRS = {"where": 6}
"""How many identifiers are such a word because a provider's field has this name: SweetTracker's `where`."""


def identifiers(tree: ast.AST) -> list[str]:
    """Every name that is defined, passed or used: variables, attributes, parameters, keywords, functions, classes."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                found.append(name)
            case ast.ClassDef(name=name) | ast.alias(name=name) | ast.keyword(arg=str(name)):
                found.append(name)
            case _:
                pass
    return found


@pytest.fixture(scope="module")
def used() -> Counter[str]:
    files = [file for folder in PRODUCT for file in (ROOT / folder).rglob("*.py") if "migrations" not in file.parts]
    return Counter(name for file in files for name in identifiers(ast.parse(file.read_text())))


@pytest.mark.parametrize("word", REPLACED)
def test_no_more_identifiers_are_a_replaced_word(used: Counter[str], word: str) -> None:
    assert used[word] <= THEIRS.get(word, 0), f"docs/glossary.md has the term to use instead of {word!r}"


def test_the_glossary_is_short() -> None:
    terms = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)

    assert len(terms) - 1 <= 40
