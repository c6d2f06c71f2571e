"""What the pages of issues say: the title of an issue, and how far a redrive of it is."""

import re
from zoneinfo import ZoneInfo

import pytest

from console.pages.operations.issues import TONES, redrive_context
from console.redrives.store import Redrive
from console.web.page import Viewer
from console.web.rendering.assets import Assets
from console.web.rendering.renderer import Renderer
from console.web.rendering.texts import Language, Texts
from stream.store.waiting import OVERDUE

RENDERER = Renderer(Texts(), Assets())
TITLE = re.compile(r'<a href="/issues/7">(.*?)</a>')


def title(cause: str, line: str, language: Language = "en") -> str:
    """Return the text of the link to an issue in the list."""
    viewer = Viewer("kim", frozenset({"viewer"}), language, ZoneInfo("UTC"), "token")
    issue = {"issueId": "7", "service": "payment", "cause": cause, "line": line, "state": "open"}
    counts = {"dead": 1, "events": 1, "firstAt": 0, "lastAt": 0}
    found = TITLE.search(
        RENDERER.render("_issues.html", viewer, {"issues": [issue | counts], "own": [], "tones": TONES})
    )
    assert found
    return re.sub("<[^>]*>", "", found[1])


@pytest.mark.parametrize(
    ("cause", "line", "en", "ko"),
    [
        ("CheckViolation (23514)", "a row", "CheckViolation (23514)", "CheckViolation (23514)"),
        ("other", "the body is empty", "the body is empty", "본문이 비어 있습니다"),
        ("other", "", "No error was recorded", "오류가 적혀 있지 않음"),
        ("overdue", OVERDUE, "Waited too long for another event", "먼저 와야 할 이벤트를 기다리다 시간이 다 됨"),
    ],
)
def test_an_issue_is_titled_by_its_cause_or_else_by_its_error(cause: str, line: str, en: str, ko: str) -> None:
    assert (title(cause, line), title(cause, line, "ko")) == (en, ko)


@pytest.mark.parametrize("issues", [[], [{"issue_id": "7", "service": "payment"}]])
def test_a_record_that_is_dead_in_another_service_too_says_that_both_redrives_are_needed(
    issues: list[dict[str, str]],
) -> None:
    viewer = Viewer("kim", frozenset({"viewer"}), "en", ZoneInfo("UTC"), "token")
    event = {"id": "1", "type": None, "orderId": None, "error": "ValueError: no", "issues": issues}

    shown = RENDERER.render("_issues.html", viewer, {"issues": [], "own": [event], "tones": TONES})

    assert ("Both redrives are needed" in shown) == ("same record as in the issue of payment" in shown) == bool(issues)


def test_a_redrive_says_how_many_of_its_events_were_processed_and_how_many_fail_again() -> None:
    viewer = Viewer("kim", frozenset({"viewer"}), "en", ZoneInfo("UTC"), "token")
    redrive = Redrive("r", "7", "payment", ["a", "b", "c", "d"], 3, "running", "kim", 0, is_lost=False)
    issue = {"issueId": "7", "service": "payment", "state": "open", "dead": 1, "events": 4, "firstAt": 0, "lastAt": 0}
    shown = {
        "issue": {**issue, "acknowledgedAt": None, "resolvedAt": None},
        "redrives": [redrive_context(redrive, {"processed": 2, "dead": 1})],
        "events": [],
        "tones": TONES,
    }

    assert "3 of 4 redriven · 2 processed · 1 failing again" in RENDERER.render("_issue.html", viewer, shown)
