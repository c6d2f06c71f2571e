"""`hookstream order` says which requests naming it were refused, and what to post for a mail without an address."""

from cli.commands.log.order_advice import addresses, refused
from runtime.json_value import JsonValue

OLD = {
    "provider": "GENERIC",
    "cause": "invalid_signature",
    "retiredSecret": "0123abcd",
    "receivedAt": "2026-02-03T12:00:00Z",
}
FORGED = {**OLD, "retiredSecret": None, "receivedAt": "2026-02-03T13:00:00Z"}
MAIL: dict[str, JsonValue] = {"status": "waiting", "audience": "customer", "user_id": "C-77", "order_id": "R-1"}


def test_an_order_of_which_only_refused_requests_are_known() -> None:
    first, second = refused("R-1", [FORGED, OLD], (), more=False)

    assert first == (
        "2 requests naming this order were refused (invalid_signature of GENERIC 2), and none was accepted:"
        " hookstream refusals list --order R-1"
    )
    assert second.startswith("a retired secret of GENERIC (0123abcd) proves 1 of them")
    assert refused("R-1", [FORGED], (), more=True)[0].startswith("at least 1 request naming this order was refused")


def test_refusals_before_the_last_accepted_webhook_are_no_news() -> None:
    assert refused("R-1", [OLD], ("2026-02-03T12:30:00Z",), more=False) == []
    (line,) = refused("R-1", [FORGED, OLD], (None, "2026-02-03T12:30:00Z"), more=True)
    assert line.startswith("1 request naming this order was refused")
    assert "nothing of it was accepted since" in line


def test_a_mail_to_a_customer_without_an_address_says_what_to_post() -> None:
    (line,) = addresses([MAIL, MAIL, {**MAIL, "status": "queued"}, {**MAIL, "user_id": None}])

    assert line.startswith(
        "no e-mail address of customer C-77 is known: post customerId C-77 with email to /webhooks/customer"
    )
    assert "order R-1 with customerEmail to /webhooks/order" in line
    assert "sellerEmail" in addresses([{**MAIL, "audience": "seller"}])[0]
    assert "/webhooks/order" not in addresses([{**MAIL, "order_id": None}])[0]
