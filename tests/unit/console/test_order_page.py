"""What the page of an order says of a late event, and how it names a payment method."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from console.pages.orders.lifeline import Moment
from console.web.page import Viewer
from console.web.rendering.assets import Assets
from console.web.rendering.renderer import Renderer
from console.web.rendering.texts import Language, Texts

RENDERER = Renderer(Texts(), Assets())


def viewer(language: Language) -> Viewer:
    return Viewer("kim", frozenset({"viewer"}), language, ZoneInfo("UTC"), "token")


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("late", "order late an older event than the state has · by the order service"),
        ("processed", "order processed by the order service"),
    ],
)
def test_a_late_event_is_older_than_the_state(outcome: str, text: str) -> None:
    row = {"outcome": outcome, "service": "order", "attempt": 1, "error": None}

    shown = RENDERER.render("_line.html", viewer("en"), {"moments": [Moment(0, "handled", "idle", "1", row, "order")]})

    assert text in " ".join(re.sub("<[^>]*>", "", shown).split())


@pytest.mark.parametrize(
    ("method", "language", "text"),
    [
        ("card", "ko", "카드"),
        ("CREDIT_CARD", "en", "card"),
        ("<b>", "ko", '<span translate="no">&lt;b&gt;</span>'),
    ],
)
def test_a_payment_method_has_the_words_of_the_mails(
    method: str, language: Language, text: str, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text("{{ payment_method(name) }}")
    renderer = Renderer(Texts(), Assets(), [tmp_path])

    assert renderer.render("page.html", viewer(language), {"name": method}) == text
