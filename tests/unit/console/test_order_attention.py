"""The page of an order says which requests naming it were refused, and what to post for mails without an address."""

from console.pages import address_advice
from console.pages.orders.refused import since_accepted
from console.web.rendering.texts import LANGUAGES, catalogue
from runtime.json_value import JsonValue

OLD = {"provider": "generic", "cause": "invalid_signature", "retired_secret": "0123abcd", "received_at": 10}
FORGED = {**OLD, "retired_secret": None, "received_at": 20}
MAIL: dict[str, JsonValue] = {"status": "waiting", "audience": "customer", "user_id": "C-77", "order_id": "R-1"}


def test_only_refusals_after_the_last_accepted_webhook_count() -> None:
    every = since_accepted([FORGED, OLD], [{"received_at": None}], 50)
    later = since_accepted([FORGED, OLD], [{"received_at": 15}], 50)

    assert every is not None
    assert (every.total, every.causes) == (2, {("generic", "invalid_signature"): 2})
    assert every.retired == {("generic", "0123abcd"): 1}
    assert later is not None
    assert (later.total, later.retired, later.is_capped) == (1, {}, False)
    assert since_accepted([FORGED, OLD], [{"received_at": 20}], 50) is None


def test_more_refusals_than_are_counted_are_said_to_be_more() -> None:
    capped = since_accepted([FORGED, FORGED, OLD], [], 2)

    assert capped is not None
    assert (capped.total, capped.is_capped) == (2, True)


def test_each_mail_that_waits_for_a_person_has_an_advice_in_both_languages() -> None:
    mails = [
        {**MAIL, "audience": audience, "user_id": person, "order_id": order}
        for audience in ("customer", "seller")
        for person in ("C-77", None)
        for order in ("R-1", None)
        if person or order
    ]

    for mail in mails:
        message = address_advice.advice(mail)
        assert message is not None
        for language in LANGUAGES:
            assert "/webhooks/" in catalogue().text(language, message.key, **message.values)


def test_an_advice_is_given_once_and_only_for_mails_that_wait() -> None:
    assert len(address_advice.of_all([MAIL, MAIL, {**MAIL, "status": "queued"}, {**MAIL, "audience": "operator"}])) == 1
