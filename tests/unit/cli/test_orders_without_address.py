"""An order that the shop never posted has nobody to mail to, and the command says what to post."""

from cli.commands.log.order import lacks_address
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
