"""The page of the providers with a gateway of an older version, which lacks fields."""

from zoneinfo import ZoneInfo

import pytest

from console.pages.operations.providers import CONTRACT, PROVIDER, TONES, in_full
from console.web.page import Viewer
from console.web.rendering.assets import Assets
from console.web.rendering.renderer import Renderer
from console.web.rendering.texts import Texts
from runtime.json_value import JsonValue

RENDERER = Renderer(Texts(), Assets())
OPERATOR = Viewer("kim", frozenset({"operator"}), "en", ZoneInfo("UTC"), "token")
ANSWER: dict[str, JsonValue] = {
    "provider": "toss",
    "contracts": [
        {
            "paths": ["/webhooks/toss"],
            "authentication": "the signature of `body`",
            "active": True,
            "unsigned": False,
            "secretSetting": "TOSS_SECRET",
            "secrets": [{"fingerprint": "1a2b3c", "firstSeen": 1_790_000_000_000_000}],
            "retired": [],
        }
    ],
    "state": {"state": "paused", "reason": "a leak", "by": "kim", "since": 1_790_000_000_000_000, "at": 0},
    "pending": 3,
}


def page(answer: dict[str, JsonValue]) -> str:
    """Return the page as HTML, with this answer of the gateway as its only provider."""
    shown = {**in_full(answer), "word": "toss", "figures": None}
    context = {
        "providers": [shown],
        "services": [],
        "problem": None,
        "tones": TONES,
        "longest": 200,
        "now": 1_800_000_000_000_000,
    }
    return RENDERER.render("providers.html", OPERATOR, context)


def test_a_gateway_of_this_version_states_every_field() -> None:
    shown = page(ANSWER)

    assert "unknown" not in shown
    assert all(
        text in shown
        for text in ("/webhooks/toss", "the signature of <code>body</code>", "1a2b3c", "a leak", "3 webhooks")
    )


@pytest.mark.parametrize("field", CONTRACT)
def test_a_field_of_a_contract_that_the_gateway_lacks_is_unknown(field: str) -> None:
    contract = {name: value for name, value in ANSWER["contracts"][0].items() if name != field}

    shown = page({**ANSWER, "contracts": [contract]})

    assert ("unknown" in shown) == (field in ("paths", "authentication", "active"))


@pytest.mark.parametrize("field", [*PROVIDER, "contracts"])
def test_a_field_of_a_provider_may_be_missing(field: str) -> None:
    shown = page({name: value for name, value in ANSWER.items() if name != field})

    assert ("unknown webhooks wait" in shown) == (field == "pending")


def test_a_contract_without_secrets_and_their_setting_has_unknown_ones() -> None:
    assert "unknown" in page({**ANSWER, "contracts": [{"paths": ["/a"], "authentication": "a key", "active": True}]})
