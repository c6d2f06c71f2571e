"""Whoever has no mouse reaches everything that can be pressed, sees where they are, and can do the same."""

import pytest
from playwright.sync_api import Page, expect

from tests.actors import new_order
from tests.browser.conftest import Visit, mail_of

CONTROLS = """
[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter(element => element.checkVisibility() && !element.disabled && element.tabIndex >= 0)
"""
MARK = f"{CONTROLS}.forEach((element, number) => element.dataset.number = number)"
COUNT = f"{CONTROLS}.length"
FOCUSED = """
(() => {
  const element = document.activeElement, style = getComputedStyle(element);
  const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return [element.dataset.number ?? null, seen];
})()
"""
NAME = "(number) => document.querySelector(`[data-number='${number}']`).outerHTML.slice(0, 120)"


@pytest.mark.parametrize(
    "path",
    [
        "/issues",
        "/issues/{issue}",
        "/quarantine",
        "/mails",
        "/mails/{mail}",
        "/replays",
        "/providers",
        "/statistics",
        "/audit",
    ],
)
def test_every_control_is_reached_with_tab_and_seen(
    visit: Visit, path: str, paid_order: str, issue: str, system: dict[str, str]
) -> None:
    page = visit(path.format(issue=issue, mail=mail_of(system, paid_order)))
    page.add_init_script("window.EventSource = class { close() {} }")  # live parts would take marked controls away
    page.reload()
    page.evaluate(MARK)
    count = page.evaluate(COUNT)

    missed, unseen = set(range(count)), set(range(count))
    for _ in range(4 * count + 10):  # a date has several parts
        page.keyboard.press("Tab")
        number, is_seen = page.evaluate(FOCUSED)
        if number is not None:
            missed.discard(int(number))
            unseen -= {int(number)} if is_seen else set()

    assert count > 5
    assert [page.evaluate(NAME, number) for number in sorted(missed | unseen)] == []


def test_an_issue_is_resolved_by_keyboard(visit: Visit, issue: str) -> None:
    page = visit(f"/issues/{issue}")
    page.on("dialog", lambda dialog: dialog.accept())

    press(page, "#resolve")

    expect(page.locator("[data-live]")).to_contain_text("resolved", timeout=15_000)


def test_a_filter_and_a_download_are_used_by_keyboard(visit: Visit) -> None:
    page = visit("/audit")

    page.locator("label input[name=user]").focus()
    page.keyboard.type(f"nobody-{new_order()}")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Nothing matches")

    page.goto("/statistics")
    with page.expect_download() as download:
        press(page, "form[action='/statistics/export'] button")
    assert download.value.suggested_filename == "statistics.csv"


def press(page: Page, selector: str) -> None:
    """Tab to an element, from wherever the page begins, and press Enter there."""
    page.locator(selector).wait_for()
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return page.keyboard.press("Enter")
    raise AssertionError(f"{selector} is not reached with Tab")
