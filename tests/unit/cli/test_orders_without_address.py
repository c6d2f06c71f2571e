"""An order that the shop never posted may have nobody to mail to, and the command says what to post."""

from cli.commands.log.order import NOT_POSTED, lacks_address
from runtime.json_value import JsonValue

PAID = {"provider": "STRIPE", "orderId": "R-1"}
POSTED = {"provider": "SHOP", "orderId": "R-1"}


def life(webhooks: list[dict[str, str]], *audiences: str) -> dict[str, JsonValue]:
    return {"orderId": "R-1", "webhooks": webhooks, "mails": [{"audience": name} for name in audiences]}


def test_a_paid_order_lacks_an_address_until_the_shop_posts_it() -> None:
    assert lacks_address(life([PAID]))
    assert lacks_address(life([PAID, {"provider": "SHOP", "orderId": "R-2"}], "operator"))
    assert not lacks_address(life([PAID, POSTED]))


def test_a_mail_to_the_customer_proves_an_address() -> None:
    assert not lacks_address(life([PAID], "customer"))


def test_an_address_that_a_customer_webhook_may_have_given_is_not_denied() -> None:
    assert "there is no address" not in NOT_POSTED
    assert "If no address of the customer is known" in NOT_POSTED
