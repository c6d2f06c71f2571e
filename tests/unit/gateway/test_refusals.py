"""Refusals: a closed list of causes, and a small record of the request."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from gateway.http.refusals import STATUS, Refusal
from gateway.intake.refusal_records import EXCERPT_BYTES, refusal_record
from providers.contract import Cause

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("cause", "status"), STATUS.items())
def test_a_refusal_is_answered_with_its_status_its_cause_and_a_sentence(cause: str, status: int) -> None:
    answer = Refusal(cause, "why").answer()

    assert (answer.status, answer.content_type) == (status, b"application/json")
    assert json.loads(answer.body) == {"error": cause, "message": "why"}


def test_no_refusal_is_a_success_and_few_are_a_failure_of_ours() -> None:
    assert {status for status in STATUS.values() if not 400 <= status < 500} == {500, 503}


def test_a_cause_outside_the_list_cannot_be_answered() -> None:
    with pytest.raises(KeyError):
        Refusal("because", "why").answer()


@pytest.mark.parametrize("cause", get_args(Cause))
def test_every_cause_a_provider_may_give_is_on_the_list(cause: str) -> None:
    assert cause in STATUS


def test_every_cause_the_gateway_gives_is_on_the_list_and_none_is_left_over() -> None:
    source = "".join(path.read_text() for path in (ROOT / "gateway").rglob("*.py"))

    given = set(re.findall(r'Refusal\("(\w+)"', source)) | set(get_args(Cause))

    assert given == STATUS.keys()


def test_what_is_documented_is_the_list() -> None:
    table = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", (ROOT / "docs" / "answers.md").read_text(), re.MULTILINE)

    assert {cause: int(status) for status, cause in table} == STATUS


def test_headers_are_named_as_on_the_wire() -> None:
    assert Refusal("unavailable", "why", retry_after="5").headers == {"retry-after": "5"}
    assert Refusal("body_too_large", "why").headers == {"connection": "close"}


def test_an_excerpt_and_a_few_short_headers_are_kept() -> None:
    body = b"x" * (EXCERPT_BYTES + 1)
    headers = {
        "host": "h" * 1000,
        "user-agent": "curl",
        "x-webhook-signature": "s",
        "authorization": "a",
        "cookie": "c",
    }

    record = refusal_record(Refusal("malformed_body", "why"), "generic", "/" * 10_000, headers, body, 7, "203.0.113.7")

    assert (record.cause, record.provider, record.received_at) == ("malformed_body", "generic", 7)
    assert record.headers == {"host": "h" * 256, "user-agent": "curl"}
    assert (len(record.excerpt), len(record.path), len(record.digest)) == (EXCERPT_BYTES, 256, 32)
