"""What the pages tell the shop to post for a mail without an address."""

import pytest

from console.pages import address_advice


def mail(
    audience: str = "customer", user: str | None = "C-1", order: str | None = "A-1", status: str = "waiting"
) -> dict[str, str | None]:
    return {"audience": audience, "user_id": user, "order_id": order, "status": status}


@pytest.mark.parametrize(
    ("waiting", "key", "values"),
    [
        (mail(), "post.customer", {"person": "C-1", "order": "A-1"}),
        (mail("seller", "S-1"), "post.seller", {"person": "S-1", "order": "A-1"}),
        (mail(user=None), "post.customer_of_order", {"order": "A-1"}),
        (mail("seller", None), "post.seller_of_order", {"order": "A-1"}),
        (mail(order=None), "post.customer_alone", {"person": "C-1"}),
    ],
)
def test_it_names_the_person_if_known_and_else_the_order(
    waiting: dict[str, str | None], key: str, values: dict[str, str]
) -> None:
    assert address_advice.advice(waiting) == (key, values)


def test_a_mail_that_does_not_wait_for_a_customer_or_a_seller_needs_no_post() -> None:
    assert address_advice.of_all([mail(status="queued"), mail("operator")]) == []


def test_two_mails_to_one_person_give_one_advice() -> None:
    assert len(address_advice.of_all([mail(), mail(), mail("seller", "S-1")])) == 2
