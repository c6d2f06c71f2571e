"""Stripe: the official scheme, held against the official SDK; and what each event says in our words."""

import json
from typing import Any

import pytest
import stripe as sdk
from hypothesis import example, given
from hypothesis import strategies as st

from providers.contract import Forged, InvalidField, Malformed, Received, Stale, Translation, Unsigned, Unsupported
from providers.records import webhook_record
from providers.stripe import webhook as stripe
from providers.stripe.amounts import iso_units
from simulator import signing
from stream.events import Micros, OrderId, PaymentPayload, RefundPayload, topics
from tests.unit.providers.mutations import mutations, sample, samples
from tests.unit.providers.test_properties import read_or_refused

SECRET = b"whsec_test_secret"
AT = 1_700_000_000
PATH = "/api/webhooks/stripe"
PI, CH, CS = "pi_000000000000000000000000", "ch_000000000000000000000000", "cs_test_" + "0" * 58
BODIES = [
    pytest.param(sample("stripe", "payment_intent.succeeded"), id="a captured one, indented"),
    pytest.param('{"id":"evt_1","name":"김민지 😀"}'.encode(), id="unicode as it is"),
    pytest.param(b'{"id":"evt_1","name":"\\uae40"}', id="unicode escaped"),
    pytest.param(b'{"b":1,"a":2}', id="keys out of order"),
    pytest.param(b' { "a" : 1 }\r\n\t', id="white space"),
    pytest.param(b'{"a":1}\n', id="a newline at the end"),
    pytest.param(b"", id="nothing"),
]


def received(body: bytes, header: str | None, now: float = AT) -> Received:
    headers = {} if header is None else {"stripe-signature": header}
    return Received(PATH, headers, body, Micros(int(now * 1_000_000)))


def signed(body: bytes, secret: bytes = SECRET, at: int = AT) -> str:
    return signing.stripe(body, secret, at * 1_000_000)["Stripe-Signature"]


def v1(body: bytes, secret: bytes = SECRET, at: int = AT) -> str:
    return signed(body, secret, at).partition("v1=")[2]


def proved(body: bytes, header: str | None, now: float = AT, secrets: tuple[bytes, ...] = (SECRET,)) -> bool:
    try:
        return stripe.verify(received(body, header, now), secrets) == "signature"
    except (Forged, Stale):
        return False


def proved_by_sdk(body: bytes, header: str) -> bool:
    try:
        return bool(sdk.WebhookSignature.verify_header(body.decode(), header, SECRET.decode()))
    except (sdk.SignatureVerificationError, TypeError):  # it cannot compare what is not ASCII
        return False


def translation_of(raw: bytes | dict[str, Any]) -> Translation:
    body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return stripe.translate(Received(PATH, {}, body, Micros(AT * 1_000_000)), "any")


def changed(name: str, **fields: Any) -> dict[str, Any]:
    """A sample whose object has other values."""
    event: dict[str, Any] = json.loads(sample("stripe", name))
    event["data"]["object"].update(fields)
    return event


def payment(name: str, **fields: Any) -> PaymentPayload:
    payload = translation_of(changed(name, **fields)).payload
    assert isinstance(payload, PaymentPayload)
    return payload


def refund(name: str, **fields: Any) -> RefundPayload:
    payload = translation_of(changed(name, **fields)).payload
    assert isinstance(payload, RefundPayload)
    return payload


def test_the_published_recipe_gives_the_sdks_signature() -> None:
    body = sample("stripe", "checkout.session.completed.payment_mode")
    header = "t=1700000000,v1=d271ef7f34c784fbb8df032f3b0112f0fd1a3c599cd005f80ca82353c919aa49"

    assert signed(body) == header
    assert proved(body, header, now=AT + 100)
    with pytest.raises(Stale):
        stripe.verify(received(body, header, AT + 301), [SECRET])


@pytest.mark.parametrize("body", BODIES)
def test_what_one_signs_the_other_proves_over_the_very_bytes(body: bytes) -> None:
    theirs = sdk.WebhookSignature.generate_signature_header(body.decode(), SECRET.decode(), timestamp=AT)

    assert proved(body, theirs)
    assert proved_by_sdk(body, signed(body))
    assert not proved(body + b" ", theirs)
    assert not proved_by_sdk(body + b" ", theirs)


@given(
    names=st.lists(st.sampled_from(["t", "v1", "v0", "v2", "", " v1", "V1"]), max_size=5),
    values=st.lists(
        st.sampled_from(["right", "other", "", str(AT), f"0{AT}", "-1", "٣", "x=y"]), min_size=5, max_size=5
    ),
)
@example(names=["t", "v1"], values=[str(AT), "٣", "", "", ""])
@example(names=["t", "v1", "v1"], values=[str(AT), "other", "right", "", ""])
def test_no_header_is_proved_that_the_sdk_would_not_prove(names: list[str], values: list[str]) -> None:
    body = b'{"a":1}'
    words = {"right": v1(body), "other": v1(b"{}")}
    header = ",".join(f"{name}={words.get(value, value)}" for name, value in zip(names, values, strict=False))

    ours, theirs = proved(body, header.encode().decode("latin-1")), proved_by_sdk(body, header)

    assert ours == theirs or (theirs and header.count("t=") > 1)


@pytest.mark.parametrize("late", [-301, -300.5, -300, -1, 0, 1, 299, 300, 300.5, 301, 86_400])
def test_a_signature_holds_for_300_seconds_either_way(late: float) -> None:
    body = b"{}"

    assert proved(body, signed(body), AT + late) == (abs(late) <= 300)


def test_a_forged_signature_is_forged_however_old() -> None:
    with pytest.raises(Forged):
        stripe.verify(received(b"{}", signed(b"[]"), AT + 10_000), [SECRET])


@pytest.mark.parametrize("which", [b"new", b"old"])
def test_each_live_secret_proves_and_no_other(which: bytes) -> None:
    header = signed(b"{}", which)

    assert proved(b"{}", header, secrets=(b"new", b"old"))
    assert not proved(b"{}", header, secrets=(b"older",))


def test_any_of_several_signatures_may_match_and_v0_never_does() -> None:
    right, wrong = v1(b"{}"), v1(b"[]")

    assert proved(b"{}", f"t={AT},v1={wrong},v1={right},v0={wrong}")
    assert not proved(b"{}", f"t={AT},v0={right}")
    assert not proved(b"{}", f"t={AT},v1={wrong},v0={right}")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=",
        "t=,v1=",
        f"t={AT}",
        f"t={AT},v1=",
        "t=99999999999999999999,v1=00",
        f"t={AT},t={AT},v1={v1(b'{}')}",
        f"t={AT},v1={v1(b'{}').upper()}",
        "\xff",
        signing.generic(b"{}", SECRET)["X-Webhook-Signature"],
    ],
)
def test_a_header_that_proves_nothing_is_forged(header: str) -> None:
    with pytest.raises(Forged):
        stripe.verify(received(b"{}", header), [SECRET])


def test_a_missing_header_is_told_from_a_wrong_one() -> None:
    with pytest.raises(Unsigned):
        stripe.verify(received(b"{}", None), [SECRET])


STATUSES = {
    "charge.failed": "failed",
    "charge.refunded.full.composed": "cancelled",
    "charge.refunded.partial.composed": "partially_cancelled",
    "charge.succeeded": "completed",
    "checkout.session.async_payment_failed.composed": "failed",
    "checkout.session.async_payment_succeeded.composed": "completed",
    "checkout.session.completed": "completed",
    "checkout.session.completed.payment_mode": "completed",
    "checkout.session.completed.unpaid.composed": "pending",
    "checkout.session.expired.composed": "expired",
    "payment_intent.canceled": "cancelled",
    "payment_intent.created": "pending",
    "payment_intent.payment_failed.composed": "failed",
    "payment_intent.processing": "pending",
    "payment_intent.requires_action": "pending",
    "payment_intent.succeeded": "completed",
}
REFUNDS = {
    "charge.refund.updated": "completed",
    "refund.created.composed": "pending",
    "refund.failed.composed": "rejected",
    "refund.updated.composed": "completed",
}
ASIDE = {
    "eventbridge.composed",
    "eventgrid.composed",
    "thin.v1.billing.meter.error_report_triggered",
}


def test_every_sample_is_in_one_of_the_tables() -> None:
    elsewhere = ("object-shape", "vectors", "charge.dispute")
    events = {name for name in samples("stripe") if not name.startswith(elsewhere)}
    assert events == STATUSES.keys() | REFUNDS.keys() | ASIDE


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_each_event_tells_a_status_of_the_payment(name: str, status: str) -> None:
    event = json.loads(sample("stripe", name))

    translation = translation_of(event)

    assert isinstance(translation.payload, PaymentPayload)
    assert translation.payload.status == status
    assert translation.event_type == event["type"]
    assert translation.provider_event_id == event["id"]
    assert translation.occurred_at == event["created"] * 1_000_000
    assert translation.mode == "test"
    assert (translation.payload.paid_at is not None) == (status == "completed")


@pytest.mark.parametrize(("name", "status"), REFUNDS.items())
def test_each_refund_event_tells_a_status_of_the_refund(name: str, status: str) -> None:
    payload = refund(name)

    assert (payload.refund_id, payload.status, payload.amount, payload.currency) == (
        "re_000000000000000000000000",
        status,
        100,
        "USD",
    )
    assert payload.reported_by_payment


@pytest.mark.parametrize("name", sorted(ASIDE))
def test_what_is_not_acted_on_is_unsupported(name: str) -> None:
    with pytest.raises(Unsupported):
        translation_of(sample("stripe", name))


@pytest.mark.parametrize("status", ["pending", "requires_action", "succeeded", "failed", "canceled", None])
def test_a_refunds_status_is_ours_by_the_table(status: str | None) -> None:
    ours = {"succeeded": "completed", "failed": "rejected", "canceled": "rejected"}.get(status or "", "pending")

    assert refund("refund.updated.composed", status=status).status == ours


def test_a_captured_charge_is_read_to_the_last_field() -> None:
    payload = payment("charge.succeeded", metadata={"order_id": "order-7"})

    assert payload == PaymentPayload(
        order_id=OrderId("order-7"),
        status="completed",
        method="card",
        transaction_id=PI,
        amount=2000,
        currency="USD",
        paid_at=Micros(1_648_320_032_000_000),
        aliases=(CH, PI),
    )


def test_a_session_its_intent_and_its_charge_tell_of_one_transaction() -> None:
    names = (
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
        "charge.refunded.full.composed",
    )

    payloads = [payment(name) for name in names]

    assert {payload.transaction_id for payload in payloads} == {payload.alias for payload in payloads} == {PI}
    assert {alias for payload in payloads for alias in payload.aliases} == {PI, CH, CS}


def test_a_session_without_an_intent_and_a_charge_without_one_go_by_their_own_names() -> None:
    session = payment("checkout.session.expired.composed", client_reference_id=None)
    charge = payment("charge.succeeded", payment_intent=None)

    assert (session.alias, session.transaction_id, session.aliases) == (CS, CS, (CS,))
    assert (charge.alias, charge.transaction_id, charge.aliases) == (CH, CH, (CH,))


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ({"metadata": {"order_id": "1", "orderId": "2"}, "client_reference_id": "3"}, "1"),
        ({"metadata": {"orderId": "2"}, "client_reference_id": "3"}, "2"),
        ({"metadata": {}, "client_reference_id": "3"}, "3"),
        ({"metadata": {"order_id": ""}, "client_reference_id": "3"}, "3"),
        ({"metadata": {"order_id": 123}}, "123"),
        ({"metadata": None, "client_reference_id": None}, None),
        ({"metadata": {"orderid": "9"}}, None),
    ],
)
def test_the_order_is_the_first_that_is_named(changes: dict[str, Any], order: str | None) -> None:
    payload = payment("checkout.session.completed", **changes)

    assert (payload.order_id, payload.alias) == (order, None if order else PI)
    assert payload.aliases == (CS, PI)


@pytest.mark.parametrize(
    "order", ["x" * 129, "\x00", "a\nb", "a\u2028b", "\ud800", "", " ", True, 1.5, ["1"], {"id": 1}]
)
def test_an_order_that_none_can_have_is_as_if_none_was_named(order: Any) -> None:
    payload = payment("checkout.session.completed", metadata={"order_id": order}, client_reference_id=None)
    fallen_back = payment("checkout.session.completed", metadata={"order_id": order}, client_reference_id="2026/0001")
    second = payment("checkout.session.completed", metadata={"order_id": order, "orderId": 7})

    assert (payload.order_id, payload.alias) == (None, PI)
    assert (fallen_back.order_id, second.order_id) == ("2026/0001", "7")


@pytest.mark.parametrize("metadata", [7, "x", ["order_id"], True])
def test_metadata_that_is_none_names_no_order(metadata: Any) -> None:
    assert payment("checkout.session.completed", metadata=metadata, client_reference_id="1").order_id == "1"


def test_refunds_of_a_charge_are_told_as_all_so_far() -> None:
    part, all_of_it = payment("charge.refunded.partial.composed"), payment("charge.refunded.full.composed")

    assert (part.status, part.amount, part.refunded_amount) == ("partially_cancelled", 2000, 500)
    assert (all_of_it.status, all_of_it.amount, all_of_it.refunded_amount) == ("cancelled", 2000, 2000)
    assert payment("charge.succeeded").refunded_amount is None


PARTLY = {"captured": True, "status": "succeeded", "refunded": False}


@pytest.mark.parametrize("event_type", ["charge.captured", "charge.refunded", "charge.updated"])
@pytest.mark.parametrize(("amount", "captured"), [(20675, 20300), (10675, 10300)])
def test_the_release_of_what_was_not_captured_gives_nothing_back(event_type: str, amount: int, captured: int) -> None:
    event = changed(
        "charge.refunded.partial.composed", amount=amount, amount_captured=captured, amount_refunded=375, **PARTLY
    )

    payload = translation_of({**event, "type": event_type}).payload

    assert isinstance(payload, PaymentPayload)
    assert (payload.status, payload.amount, payload.refunded_amount or 0) == ("completed", captured, 0)


@pytest.mark.parametrize(
    ("refunded", "is_all", "given_back", "status"),
    [
        (375, False, 0, "completed"),
        (1375, False, 1000, "partially_cancelled"),
        (20675, True, 20300, "cancelled"),
        (20675, False, 20300, "cancelled"),
        (99999, True, 20300, "cancelled"),
        (0, False, 0, "completed"),
    ],
)
def test_given_back_is_what_was_refunded_without_what_was_released(
    refunded: int, is_all: bool, given_back: int, status: str
) -> None:
    changes = {**PARTLY, "amount": 20675, "amount_captured": 20300, "amount_refunded": refunded, "refunded": is_all}

    payload = payment("charge.refunded.partial.composed", **changes)

    assert (payload.status, payload.amount, payload.refunded_amount) == (status, 20300, given_back)
    assert payload.paid_at is None


OLDER, BASIL = "2025-02-24.acacia", "2025-03-31.basil"


@pytest.mark.parametrize(
    ("version", "refunded", "is_all", "given_back", "status"),
    [
        (None, 1375, False, 1000, "partially_cancelled"),
        (OLDER, 1375, False, 1000, "partially_cancelled"),
        (BASIL, 1375, False, 1375, "partially_cancelled"),
        ("2025-11-17.clover", 375, False, 375, "partially_cancelled"),
        (OLDER, 375, False, 0, "completed"),
        (BASIL, 0, False, 0, "completed"),
        (BASIL, 20300, True, 20300, "cancelled"),
        # The amounts decide before the version: the release is in the sum, or is not.
        (BASIL, 20675, True, 20300, "cancelled"),
        (OLDER, 100, False, 100, "partially_cancelled"),
        (OLDER, 20300, True, 20300, "cancelled"),
        (OLDER, 20300, False, 19925, "partially_cancelled"),
    ],
)
def test_a_release_is_in_the_refunded_sum_of_older_versions_of_the_api_alone(
    version: str | None, refunded: int, is_all: bool, given_back: int, status: str
) -> None:
    changes = {**PARTLY, "amount": 20675, "amount_captured": 20300, "amount_refunded": refunded, "refunded": is_all}
    event = {**changed("charge.refunded.partial.composed", **changes), "api_version": version}

    payload = translation_of(event).payload

    assert isinstance(payload, PaymentPayload)
    assert (payload.status, payload.amount, payload.refunded_amount) == (status, 20300, given_back)


@pytest.mark.parametrize(
    ("name", "event_type", "changes"),
    [
        ("charge.succeeded", "charge.captured", {"amount": 20675, "amount_captured": 20300, "captured": True}),
        ("payment_intent.succeeded", "payment_intent.succeeded", {"amount": 20675, "amount_received": 20300}),
        (
            "charge.refunded.partial.composed",
            "charge.refunded",
            {"amount": 20675, "amount_captured": 20300, "amount_refunded": 375, **PARTLY},
        ),
    ],
)
def test_what_takes_a_part_tells_how_much_is_released_where_that_has_a_refund(
    name: str, event_type: str, changes: dict[str, Any]
) -> None:
    event = {**changed(name, **changes), "type": event_type}

    payloads = [translation_of({**event, "api_version": version}).payload for version in (OLDER, BASIL)]
    whole = payment(name).released_amount

    assert [one.released_amount for one in payloads if isinstance(one, PaymentPayload)] == [375, None]
    assert whole is None


def test_the_refund_of_a_released_rest_is_no_refund() -> None:
    with pytest.raises(Unsupported):
        refund("refund.updated.composed", amount=375, balance_transaction=None)
    assert refund("refund.created.composed", balance_transaction=None).status == "pending"


def test_an_updated_charge_tells_that_less_is_given_back() -> None:
    event = {**changed("charge.refunded.partial.composed", amount_refunded=0, **PARTLY), "type": "charge.updated"}

    payload = translation_of(event).payload

    assert isinstance(payload, PaymentPayload)
    assert (payload.status, payload.refunded_amount, payload.paid_at) == ("completed", 0, None)


@pytest.mark.parametrize("changes", [{"status": "failed"}, {"status": "pending"}, {"captured": False}])
def test_an_updated_charge_that_holds_no_money_is_kept_aside(changes: dict[str, Any]) -> None:
    event = {**changed("charge.refunded.partial.composed", **{**PARTLY, **changes}), "type": "charge.updated"}

    with pytest.raises(Unsupported):
        translation_of(event)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("payment_intent.payment_failed.composed", "Your card was declined."),
        ("charge.failed", "Your card was declined."),
    ],
)
def test_a_failure_says_why(name: str, reason: str) -> None:
    assert payment(name).failure_reason == reason


def test_a_failure_names_the_charge_that_failed_as_each_attempt_has_one() -> None:
    intent = payment("payment_intent.payment_failed.composed", latest_charge="ch_2")
    older = payment("payment_intent.payment_failed.composed", latest_charge=None, charges={"data": [{"id": "ch_3"}]})
    charge = payment("charge.failed", id="ch_2", payment_intent="pi_1")
    none = payment("payment_intent.payment_failed.composed", latest_charge=None, charges=None)
    paid = payment("payment_intent.succeeded", latest_charge="ch_2")

    assert [one.pg_transaction_id for one in (intent, older, charge, none, paid)] == [
        "ch_2",
        "ch_3",
        "ch_2",
        None,
        None,
    ]
    assert charge.transaction_id == "pi_1"


def test_an_intent_that_was_never_paid_gives_nothing_back() -> None:
    assert payment("payment_intent.canceled").refunded_amount == 0


def test_a_hold_that_is_released_gives_nothing_back() -> None:
    held = payment("charge.refunded.full.composed", captured=False, amount_captured=0)

    assert (held.status, held.refunded_amount) == ("cancelled", 0)


def test_a_failed_refund_says_why() -> None:
    assert refund("refund.failed.composed").reason == "expired_or_canceled_card"


def test_a_charge_that_is_not_captured_is_not_yet_paid() -> None:
    event = changed("charge.succeeded", captured=False, amount_captured=0)
    captured = {**changed("charge.succeeded", amount_captured=1500), "type": "charge.captured"}

    assert translation_of(event).payload.status == "pending"  # type: ignore[attr-defined]
    assert (translation_of(captured).payload.status, translation_of(captured).payload.amount) == ("completed", 1500)  # type: ignore[attr-defined]


def test_a_session_that_only_keeps_a_card_pays_nothing() -> None:
    with pytest.raises(Unsupported):
        payment("checkout.session.completed", mode="setup", payment_status="no_payment_required", amount_total=None)


@pytest.mark.parametrize(
    ("status", "ours"), [("paid", "completed"), ("no_payment_required", "completed"), ("unpaid", "pending")]
)
def test_a_completed_session_is_paid_when_it_says_so(status: str, ours: str) -> None:
    assert payment("checkout.session.completed", payment_status=status).status == ours


@pytest.mark.parametrize(
    ("units", "currency", "ours"),
    [
        (1000, "USD", 1000),
        (58000, "KRW", 58000),
        (500, "JPY", 500),
        (5120, "KWD", 5120),
        (500, "ISK", 5),
        (500, "UGX", 5),
        (5, "MGA", 500),
        (1045, "HUF", 1045),
        (80000, "TWD", 80000),
        (0, "USD", 0),
    ],
)
def test_an_amount_is_counted_as_iso_4217_counts_it(units: int, currency: str, ours: int) -> None:
    payload = payment("checkout.session.completed", amount_total=units, currency=currency.lower())

    assert (payload.amount, payload.currency) == (ours, currency)


@pytest.mark.parametrize(("units", "currency"), [(501, "ISK"), (550, "UGX"), (1, "LYD"), (1, "CLF"), (1, "XXX")])
def test_an_amount_that_cannot_be_exact_is_refused(units: int, currency: str) -> None:
    with pytest.raises(InvalidField):
        iso_units(units, currency)


@pytest.mark.parametrize("amount", ["two", 20.5, -1, 10**16, True, [2000]])
def test_an_amount_is_a_whole_number(amount: Any) -> None:
    with pytest.raises(InvalidField, match="amount"):
        payment("checkout.session.completed", amount_total=amount)


@pytest.mark.parametrize("currency", [None, "", "usdollar", "xxx", "¥en", 5])
def test_an_amount_needs_its_currency(currency: Any) -> None:
    with pytest.raises(InvalidField):
        payment("checkout.session.completed", currency=currency)


def test_the_mode_is_the_events_own() -> None:
    live = {**json.loads(sample("stripe", "charge.succeeded")), "livemode": True}

    assert translation_of(live).mode == "live"
    assert translation_of(sample("stripe", "charge.succeeded")).mode == "test"


@pytest.mark.parametrize("name", [*STATUSES, *REFUNDS])
def test_nothing_of_a_card_or_an_address_is_copied(name: str) -> None:
    changes = str(translation_of(sample("stripe", name)).payload)

    assert not [word for word in ("4242", "0002", "3220", "fingerprint", "Jenny", "secret") if word in changes]


def test_a_payment_goes_to_its_topic_keyed_by_the_order_or_stripes_name() -> None:
    received_ = Received(PATH, {}, sample("stripe", "charge.succeeded"), Micros(AT))

    addressed = webhook_record(stripe.PROVIDER, received_, "signature", translation_of(received_.body), "test")

    assert (addressed.topic, addressed.key) == (topics.PAYMENT_WEBHOOKS, f"stripe:{PI}")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        translation_of(body)


@pytest.mark.parametrize("name", sorted(STATUSES.keys() | REFUNDS.keys() | ASIDE))
def test_whatever_is_wrong_in_a_body_it_is_read_or_refused(name: str) -> None:
    for body in mutations(sample("stripe", name)):
        read_or_refused(stripe.PROVIDER, PATH, "any", body)
