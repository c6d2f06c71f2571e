"""Every sentence that services report to people is in the catalogue, word by word, and so is shown in Korean too."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.api.views.field_origin import REASONS
from console.pages.orders.lifeline import FAMILIES
from console.web.rendering import action_details
from console.web.rendering.texts import catalogue
from providers import catalogue as providers
from stream.events.record import PaymentStatus, RefundStatus, ShippingStatus, Verification
from stream.store.waiting import OVERDUE

ROOT = Path(__file__).parents[3]
ROOMS = ("providers", "gateway", "confirmer", "notifier", "stream", "runtime", "console")
RAISED = frozenset(
    "InvalidField Unsupported Malformed WrongEvent RefusedWebhook Contradicted NotKnownYet RequestRefused NotReleasable"
    " BadParameter ServiceUnreachable ServiceRefused Unusable NoConnection NoReply KafkaUnavailable".split()
)
"""The exceptions whose messages reach a page: reasons of quarantines and mails, refusals of services and parameters."""
MADE = frozenset({"malformed", "NoAnswer", "Unbuildable", "NeedUnmet", "RegistryError"})
"""Functions and records that take such a sentence."""
CHECKS = frozenset(
    {
        "problem",
        "problems",
        "warning",
        "_spool_problem",
        "_stuck",
        "_stopped",
        "_paused",
        "report_failure",
        "kafka_problem",
    }
)
"""Functions that return a problem of a service's health."""
STORED = frozenset({"RESTORED"})
"""Sentences that SQL with a value of its own writes into a store."""
VALUE = "x-1"
"""Stands for a value in a sentence."""


def sentences() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each sentence in the code, with VALUE for each value."""
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for text in of_node(node):
                if " " in text:
                    yield f"{path.relative_to(ROOT)}: {text}", text


def of_node(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=given) if name in RAISED | MADE:
            for argument in given:
                yield from texts_of(argument)
        case ast.Constant(value=str(sql)):
            yield from re.findall(r"\berror = '([^']+)'", sql)
        case ast.Assign(targets=[ast.Name(id=name)], value=stored) if name in STORED:
            yield from texts_of(stored)
        case ast.FunctionDef(name=name) if name in CHECKS:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    yield from texts_of(inner.value)
        case _:
            pass


def texts_of(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be: a constant, an f-string, each side of a condition or of `or`."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from (*texts_of(one), *texts_of(other))
        case ast.BoolOp(values=parts):
            yield from (text for part in parts for text in texts_of(part))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from (head + tail for head in texts_of(left) for tail in [*texts_of(right)] or [VALUE])
        case ast.Subscript(value=whole):
            yield from texts_of(whole)
        case _:
            pass


SENTENCES = dict(sentences())


def test_the_code_has_sentences() -> None:
    assert len(SENTENCES) > 150
    assert "the body is empty" in SENTENCES.values()
    assert any("refuses INICIS_API_KEY" in text for text in SENTENCES.values())
    assert "the address of the recipient did not arrive in time" in SENTENCES.values(), "it is in a statement"


@pytest.mark.parametrize("place", SENTENCES)
def test_a_sentence_of_the_code_is_shown_in_korean(place: str) -> None:
    sentence = SENTENCES[place]

    assert catalogue().reported("en", sentence) == sentence
    assert re.search("[가-힣]", catalogue().reported("ko", sentence) or ""), sentence


@pytest.mark.parametrize("name", sorted({row.name for row in providers.PROVIDERS}))
def test_how_a_provider_is_authenticated_is_shown_in_korean(name: str) -> None:
    for row in providers.PROVIDERS:
        if row.name == name:
            assert catalogue().reported("ko", row.authentication), row.authentication


def test_every_word_of_a_record_is_in_the_catalogue() -> None:
    statuses = {*get_args(PaymentStatus), *get_args(ShippingStatus), *get_args(RefundStatus)}
    keys = {
        *(f"state.{name}" for name in statuses),
        *(f"proof_word.{name}" for name in get_args(Verification)),
        *(f"family.{name}" for name in FAMILIES),
        *(f"why_reason.{name}" for name in REASONS),
    }

    assert keys <= catalogue().by_key.keys()


def test_a_sentence_within_a_sentence_is_translated_too() -> None:
    nested = "worker 1: paused by kim: a bad deploy"

    assert catalogue().reported("ko", nested) == "작업자 1: kim님이 정지함: a bad deploy"
    assert catalogue().reported("ko", OVERDUE)
    assert catalogue().reported("en", "중복된 웹훅입니다: 9b2c") == "This webhook came more than once: 9b2c"


@given(st.text())
def test_any_text_is_raw_data_or_a_sentence(text: str) -> None:
    assert catalogue().reported("en", text) in (None, text)


@pytest.mark.parametrize(
    ("detail", "en"),
    [
        ("issues.gone", "There is no such issue."),
        (
            action_details.code("event.not_dead", {"service": "payment"}),
            "It is not dead in the payment; it may have been redriven already.",
        ),
        ("event.not_dead", "It is not dead in the …; it may have been redriven already."),
        ("KeyError", "KeyError"),
        (None, ""),
    ],
)
def test_a_detail_of_the_audit_is_a_sentence(detail: str | None, en: str) -> None:
    assert action_details.text(catalogue(), "en", detail) == en


def test_a_refusal_of_a_service_is_shown_in_korean() -> None:
    detail = "The notifier refused the request: there is no mail 9b2c"

    assert action_details.text(catalogue(), "ko", detail) == "notifier에서 요청을 거절했습니다: 9b2c 메일이 없습니다"
