"""Where a webhook belongs: its path, the token behind it, and what may be kept of both."""

import pytest

from providers import catalogue


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/webhooks/shippo", ("/api/webhooks/shippo", None)),
        ("/api/webhooks/shippo/s", ("/api/webhooks/shippo", "s")),
        ("/api/webhooks/sweettracker/a b", ("/api/webhooks/sweettracker", "a b")),
        ("/api/webhooks/delivery_tracker/s", ("/api/webhooks/delivery_tracker", "s")),
        ("/api/webhooks/shippo/", None),
        ("/api/webhooks/shippo/s/t", None),
        ("/api/webhooks/easypost/s", None),
        ("/webhooks/payment/s", None),
    ],
)
def test_a_token_stands_behind_the_path_of_a_provider_that_takes_one(path: str, found: tuple[str, str] | None) -> None:
    assert catalogue.split(path) == found


@pytest.mark.parametrize("path", ["/webhooks/payment", "/api/webhooks/easypost/x", "/", "", "/api/webhooks/shippo"])
def test_a_path_without_a_token_is_kept_as_it_is(path: str) -> None:
    assert catalogue.without_token(path) == path


@pytest.mark.parametrize(
    "path", ["/api/webhooks/shippo/s", "/api/webhooks/shippo/s/", "//api/webhooks/Shippo//s", "/x/shippo/s\ns"]
)
def test_what_may_be_a_token_is_not_kept(path: str) -> None:
    assert catalogue.without_token(path).lower().endswith("/shippo")
