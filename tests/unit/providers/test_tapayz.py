"""Contract D: what each of Tapayz's bodies says in our words, what proves it, and what is asked where nothing does."""

import hmac
import json
from typing import Any

import pytest

from providers.confirmation import confirmed_event
from providers.contract import (
    ApiRequest,
    Forged,
    InvalidField,
    Malformed,
    NotKnownYet,
    Received,
    RefusedWebhook,
    Translation,
    Unsigned,
    Unsupported,
    WrongEvent,
)
from providers.records import webhook_record
from providers.tapayz import api
from providers.tapayz import webhook as tapayz
from simulator import signing
from stream.events import InvoicePayload, Micros, TransferPayload, UnconfirmedWebhook, VerificationRequest, topics
from tests.unit.providers.mutations import mutations, sample, samples
from tests.unit.providers.test_properties import read_or_refused

SECRET = b"tapayz-test-secret"
INVOICE = "550e8400-e29b-41d4-a716-446655440000"
AT_10_45 = 1_757_069_100_000_000
NOW = Micros(AT_10_45 + 1_000_000)
INVOICES = samples("tapayz", "invoice", "update-invoice")
TRANSFERS = samples("tapayz", "transaction", "create-transaction", "update-transaction")
EVENTS = ("invoice.updated", "transaction.created", "transaction.updated")
PATHS = {kind: path for path, kind in tapayz.PROVIDER.paths.items()}


def kind_of(name: str) -> str:
    """The event of a sample, from its name."""
    if "invoice" in name:
        return "invoice.updated"
    return "transaction.created" if "create" in name else "transaction.updated"


def received(body: bytes, kind: str = "invoice.updated", signature: str | None = None) -> Received:
    headers = {} if signature is None else {"x-signature": signature}
    return Received(PATHS[kind], headers, body, NOW)


def signature_of(body: bytes, secret: bytes = SECRET) -> str:
    return signing.tapayz(body, secret)["X-Signature"]


def translation_of(body: bytes | dict[str, Any], kind: str = "invoice.updated") -> Translation:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return tapayz.translate(received(raw, kind), kind)


def changed(name: str, **fields: Any) -> dict[str, Any]:
    """A sample whose data has other values."""
    changes: dict[str, Any] = json.loads(sample("tapayz", name))
    changes.get("data", changes).update(fields)
    return changes


def invoice(name: str, **fields: Any) -> InvoicePayload:
    payload = translation_of(changed(name, **fields)).payload
    assert isinstance(payload, InvoicePayload)
    return payload


def transfer(name: str, **fields: Any) -> TransferPayload:
    payload = translation_of(changed(name, **fields), kind_of(name)).payload
    assert isinstance(payload, TransferPayload)
    return payload


def test_the_published_recipe_signs_the_compact_form() -> None:
    body = sample("tapayz", "invoice.updated.Complete")
    signature = "3343c47e1ddfdf4e4b689f8b3aa0b3c4002aab86046be7028cffc8fd30ee7672"

    assert tapayz.verify(received(body, signature=signature), [SECRET]) == "signature"


@pytest.mark.parametrize("name", [*INVOICES, *TRANSFERS])
def test_the_bytes_as_they_are_may_be_signed_as_well(name: str) -> None:
    body = sample("tapayz", name)

    assert tapayz.verify(received(body, signature=signature_of(body)), [b"new", SECRET]) == "signature"
    assert tapayz.verify(received(body, signature=signature_of(body).upper()), [SECRET]) == "signature"


@pytest.mark.parametrize(
    "signature",
    [
        "00" * 32,
        "nonsense",
        "\xff",
        signature_of(b"{}", b"another"),
        signature_of(b"[]"),
        hmac.digest(SECRET, b"{}", "sha1").hex(),
        signing.stripe(b"{}", SECRET, NOW)["Stripe-Signature"],
        f"sha256={signature_of(b'{}')}",
    ],
)
def test_what_another_signed_or_in_another_way_is_forged(signature: str) -> None:
    with pytest.raises(Forged):
        tapayz.verify(received(b"{}", signature=signature), [SECRET])


def test_a_missing_signature_is_told_from_a_wrong_one_and_another_providers_header_is_none() -> None:
    another = Received(
        "/callback/update-invoice",
        {"x-webhook-signature": signing.generic(b"{}", SECRET)["X-Webhook-Signature"]},
        b"{}",
        NOW,
    )

    for unsigned in (received(b"{}"), received(b"{}", signature=""), another):
        with pytest.raises(Unsigned):
            tapayz.verify(unsigned, [SECRET])


def test_a_completed_invoice_is_read_to_the_last_field() -> None:
    translation = translation_of(sample("tapayz", "invoice.updated.Complete"))

    payload = InvoicePayload(
        invoice_id=INVOICE,
        customer_id="customer-cuid-123",
        customer_name="김민수",
        state="Complete",
        previous_state="Pending",
        title="USDT 10만원 구매",
        cash_amount=100_000,
        cash_currency="KRW",
        crypto_amount="74.074074",
        crypto_asset="1001",
        transaction_id="tx-uuid-456",
        completed_at=Micros(AT_10_45),
        transaction_hash="d1f10b55e61d16e3616d8d0ac7c42e0edcc8a5587b251239f0a14f587032cb18",
        from_address="TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBr",
        to_address="TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC",
        block_number=75_235_898,
    )
    assert translation == Translation(payload, "invoice.updated", Micros(AT_10_45), f"{INVOICE}:Complete:{AT_10_45}")


def test_an_amount_that_did_not_match_is_told_with_both() -> None:
    payload = invoice("invoice.updated.Fail")

    assert (payload.state, payload.reason) == ("Fail", "amount_mismatch")
    assert (payload.received_amount, payload.expected_amount) == ("70.000000", "74.074074")


def test_received_and_expected_amounts_may_stand_beside_the_transaction() -> None:
    payload = invoice("invoice.updated.Fail", receivedAmount="1", expectedAmount="2", transaction=None)

    assert (payload.received_amount, payload.expected_amount) == ("1", "2")


def test_a_failure_without_a_reason_has_an_unknown_one() -> None:
    assert invoice("invoice.updated.Fail", reason=None).reason == "unknown"
    assert transfer("transaction.updated.Fail").reason == "transaction_expired"
    assert transfer("transaction.updated.Fail", failureReason=None).reason == "unknown"
    assert invoice("invoice.updated.Pending").reason is None


@pytest.mark.parametrize("name", INVOICES)
def test_each_state_of_an_invoice_is_told(name: str) -> None:
    payload = translation_of(sample("tapayz", name)).payload

    assert isinstance(payload, InvoicePayload)
    assert payload.state == name.removesuffix(".composed").rpartition(".")[2]


@pytest.mark.parametrize("name", TRANSFERS)
def test_each_state_of_a_transfer_is_told(name: str) -> None:
    translation = translation_of(sample("tapayz", name), kind_of(name))

    assert isinstance(translation.payload, TransferPayload)
    assert translation.payload.state == name.rpartition(".")[2]
    assert translation.event_type == kind_of(name)
    assert translation.provider_event_id is not None


def test_a_new_transfer_is_read_to_the_last_field() -> None:
    assert transfer("transaction.created.Pending") == TransferPayload(
        invoice_id=INVOICE,
        transaction_id="tx-uuid-456",
        customer_id="customer-cuid-123",
        state="Pending",
        amount="74.074074",
        asset="1001",
        hash="d1f10b55e61d16e3616d8d0ac7c42e0edcc8a5587b251239f0a14f587032cb18",
        from_address="TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBr",
        to_address="TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC",
        block_number=75_235_898,
        changed_at=Micros(AT_10_45 - 7_484_000),
    )


def test_a_transfer_that_names_no_invoice_goes_by_its_own_name() -> None:
    payload = transfer("update-transaction.flat-variant.Complete")

    assert (payload.invoice_id, payload.alias, payload.transaction_id) == (None, "tx_4f5d9a", "tx_4f5d9a")


def test_a_flat_body_says_what_the_same_in_an_envelope_says() -> None:
    enveloped = json.loads(sample("tapayz", "invoice.updated.Complete"))
    flat = {**enveloped["data"], "timestamp": enveloped["timestamp"]}

    assert translation_of(flat) == translation_of(enveloped)
    assert translation_of({**flat, "event": "invoice.updated", "data": None}) == translation_of(enveloped)


def test_a_flat_invoices_amount_is_crypto_and_its_customer_a_number() -> None:
    payload = invoice("update-invoice.flat-variant.Pending")

    assert (payload.customer_id, payload.crypto_amount, payload.cash_amount) == ("7", "1.228607", None)


def test_without_a_time_the_digest_tells_events_apart() -> None:
    assert translation_of(sample("tapayz", "update-invoice.flat-variant.Pending")).provider_event_id is None


@pytest.mark.parametrize(("path", "changes"), [(a, b) for a in PATHS for b in (*EVENTS, "invoice.deleted")])
def test_an_event_that_is_not_the_paths_is_wrong(path: str, changes: str) -> None:
    name = {kind_of(name): name for name in (*INVOICES, *TRANSFERS) if "variant" not in name}.get(changes, INVOICES[0])
    body = {**json.loads(sample("tapayz", name)), "event": changes}

    if changes == path or (path == "any" and changes in PATHS):
        assert translation_of(body, path).event_type == changes
    else:
        with pytest.raises(WrongEvent, match="Invalid event type"):
            translation_of(body, path)


@pytest.mark.parametrize("name", [*INVOICES, *TRANSFERS])
def test_where_any_event_is_read_the_fields_of_a_body_say_what_it_is(name: str) -> None:
    changes = json.loads(sample("tapayz", name))
    flat = changes.get("data", changes)

    assert translation_of(sample("tapayz", name), "any") == translation_of(sample("tapayz", name), kind_of(name))
    assert translation_of(flat, "any") == translation_of(flat, kind_of(name))
    assert translation_of({"data": flat}, "any") == translation_of(flat, kind_of(name))


def test_a_pending_transfer_that_was_changed_is_no_new_one() -> None:
    new = json.loads(sample("tapayz", "create-transaction.flat-variant.Pending"))

    assert translation_of(new, "any").event_type == "transaction.created"
    assert translation_of({**new, "updatedAt": "2025-08-28T07:45:00.000Z"}, "any").event_type == "transaction.updated"


@pytest.mark.parametrize("body", [{"state": "Complete"}, {}, {"data": {"state": "Complete"}}, {"customerId": 7}])
def test_a_body_that_is_neither_an_invoices_nor_a_transfers_is_wrong(body: dict[str, Any]) -> None:
    with pytest.raises(WrongEvent, match="Invalid event type"):
        translation_of(body, "any")


def test_an_event_that_is_empty_is_not_said() -> None:
    body = {**json.loads(sample("tapayz", "invoice.updated.Complete")), "event": ""}

    assert translation_of(body, "invoice.updated").event_type == "invoice.updated"


def test_a_wrong_event_is_wrong_whatever_else_is() -> None:
    with pytest.raises(WrongEvent):
        translation_of({"event": "invoice.deleted", "timestamp": "yesterday", "data": {"state": 5}})


@pytest.mark.parametrize("state", ["complete", "Refunded", "완료", ""])
def test_a_state_that_is_not_documented_is_unsupported(state: str) -> None:
    with pytest.raises(Unsupported):
        invoice("invoice.updated.Complete", state=state)
    with pytest.raises(Unsupported):
        transfer("transaction.updated.Complete", state=state)


@pytest.mark.parametrize(
    ("amount", "asset", "ours"),
    [
        ("100000.000000", 1, (100_000, "KRW")),
        ("100000", 1, (100_000, "KRW")),
        ("100000.000000", None, (100_000, "KRW")),
        ("100000.000000", 99, (100_000, "KRW")),
        ("12.340000", 2, (1234, "USD")),
        ("12.340000", "2", (1234, "USD")),
        ("999999999999999." + "0" * 30, 1, (999_999_999_999_999, "KRW")),
        ("1e5", 1, (100_000, "KRW")),
        (100000, 1, (100_000, "KRW")),
        (100000.0, 1, (100_000, "KRW")),
        (12.34, 2, (1234, "USD")),
        ("0.000000", 1, (None, "KRW")),
        ("0", 1, (None, "KRW")),
        (0, 1, (None, "KRW")),
        ("", 1, (None, "KRW")),
    ],
)
def test_cash_is_exact_in_the_minor_units_of_its_currency(
    amount: str, asset: Any, ours: tuple[int | None, str]
) -> None:
    payload = invoice("invoice.updated.Complete", cashAmount=amount, cashAssetId=asset)

    assert (payload.cash_amount, payload.cash_currency) == ours


@pytest.mark.parametrize(
    "amount",
    ["100000.5", "0.000001", "-1", "1e-1", "1e999999999", "1,000", "1.", ".5", "٣", "1" * 16, 1.5, -1, True, [1]],
)
def test_cash_that_is_no_exact_amount_is_refused(amount: Any) -> None:
    with pytest.raises(InvalidField, match="cashAmount"):
        invoice("invoice.updated.Complete", cashAmount=amount, cashAssetId=1)


def test_which_asset_is_which_currency_can_be_said() -> None:
    raw = json.dumps(changed("invoice.updated.Complete", cashAssetId=9, cashAmount="5.125")).encode()

    payload = tapayz.translate(received(raw), "invoice.updated", {"9": "KWD"}).payload

    assert isinstance(payload, InvoicePayload)
    assert (payload.cash_amount, payload.cash_currency) == (5125, "KWD")


@pytest.mark.parametrize("amount", ["74.074074", "0", "0.000000000000000001", "1" + "0" * 29])
def test_crypto_amounts_are_kept_as_they_are_written(amount: str) -> None:
    assert invoice("invoice.updated.Complete", cryptoAmount=amount).crypto_amount == amount
    assert transfer("transaction.updated.Complete", amount=amount).amount == amount


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("1e-18", "0.000000000000000001"),
        ("1E-18", "0.000000000000000001"),
        ("1.5e-18", "0.0000000000000000015"),
        ("7.4e1", "74"),
        ("7.4074074E1", "74.074074"),
        ("1e+3", "1000"),
        ("120e-1", "12"),
        ("0.000000", "0.000000"),
        ("0e0", "0"),
        (" 1 ", "1"),
        ("+1", "1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("007", "7"),
        ("", None),
        (" ", None),
        (None, None),
        ("1" * 78, "1" * 78),
    ],
)
def test_any_decimal_spelling_of_a_crypto_amount_is_read_exactly(written: Any, plain: str | None) -> None:
    assert transfer("transaction.updated.Complete", amount=written).amount == plain
    assert invoice("invoice.updated.Complete", cryptoAmount=written).crypto_amount == plain
    assert invoice("invoice.updated.Fail", receivedAmount=written, transaction=None).received_amount == plain


@pytest.mark.parametrize(
    ("written", "plain"), [("74.074074", "74.074074"), ("74", "74"), ("1e-18", "0." + "0" * 17 + "1"), ("0.0", "0.0")]
)
def test_a_crypto_amount_may_be_a_json_number(written: str, plain: str) -> None:
    """Python would write a float's own digits; the body is made by hand."""
    raw = json.dumps(changed("transaction.updated.Complete", amount="AMOUNT")).replace('"AMOUNT"', written).encode()

    payload = translation_of(raw, "transaction.updated").payload

    assert isinstance(payload, TransferPayload)
    assert payload.amount == plain


@pytest.mark.parametrize(
    "amount", ["-1", "NaN", "Infinity", "1e", ".", "e1", "1,0", "0x1", "٣", "1" * 81, "1e-81", "1e999", -1, True, [1]]
)
def test_what_is_no_amount_of_crypto_is_refused(amount: Any) -> None:
    with pytest.raises(InvalidField, match="mount"):
        invoice("invoice.updated.Complete", cryptoAmount=amount)
    with pytest.raises(InvalidField, match="mount"):
        transfer("transaction.updated.Complete", amount=amount)


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_optional_field_says_nothing(nothing: str | None) -> None:
    payload = invoice("invoice.updated.Complete", completedAt=nothing, expiredAt=nothing, cashAmount=nothing)

    assert (payload.completed_at, payload.expired_at, payload.cash_amount) == (None, None, None)
    moved = transfer("transaction.updated.Complete", finalizedAt=nothing, detail=nothing, to=nothing, blockNum=nothing)
    assert (moved.hash, moved.to_address, moved.block_number) == (None, None, None)


@pytest.mark.parametrize(
    ("number", "ours"),
    [(7, 7), ("7", 7), ("0x7", None), (-1, None), ("", None), (2**70, None), (1.5, None), (True, None), ([1], None)],
)
def test_a_block_that_cannot_be_used_costs_no_more_than_itself(number: Any, ours: int | None) -> None:
    assert transfer("transaction.created.Pending", blockNum=number).block_number == ours


def test_an_invoice_and_the_transfers_that_name_it_stay_in_one_order() -> None:
    bodies = {name: received(sample("tapayz", name), kind_of(name)) for name in (*INVOICES, *TRANSFERS)}

    addressed = {
        name: webhook_record(tapayz.PROVIDER, body, "signature", translation_of(body.body, kind_of(name)), "test")
        for name, body in bodies.items()
    }

    assert {one.topic for one in addressed.values()} == {topics.INVOICE_WEBHOOKS}
    assert {one.key for name, one in addressed.items() if "variant" not in name} == {INVOICE}
    assert addressed["update-transaction.flat-variant.Complete"].key == "tapayz:tx_4f5d9a"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        translation_of(body)


@pytest.mark.parametrize("name", [*INVOICES, *TRANSFERS])
def test_whatever_is_wrong_in_a_body_it_is_read_or_refused(name: str) -> None:
    for body in mutations(sample("tapayz", name)):
        read_or_refused(tapayz.PROVIDER, PATHS[kind_of(name)], kind_of(name), body)


def asked(name: str) -> VerificationRequest:
    """What is asked about a sample that came unsigned."""
    payload = tapayz.translate_unsigned(received(sample("tapayz", name), kind_of(name)), kind_of(name)).payload
    assert isinstance(payload, VerificationRequest)
    return payload


def answered(verification_request: VerificationRequest, answer: bytes) -> Translation:
    return api.read_response(verification_request, received(b"{}"), answer)


def test_what_comes_unsigned_is_a_verification_request_that_believes_nothing() -> None:
    assert asked("invoice.updated.Complete") == VerificationRequest(
        subject="invoice", alias=INVOICE, claims={"state": "Complete"}
    )
    assert asked("transaction.updated.Fail") == VerificationRequest(
        subject="transaction", alias="tx-uuid-456", claims={"state": "Fail"}
    )


def test_what_comes_unsigned_and_cannot_be_read_is_refused_all_the_same() -> None:
    with pytest.raises(WrongEvent):
        tapayz.translate_unsigned(received(sample("tapayz", "transaction.updated.Fail")), "invoice.updated")


def test_the_api_is_asked_with_the_key_and_names_are_quoted() -> None:
    odd = VerificationRequest(subject="invoice", alias="a&b=#1/김", claims={})

    assert api.build_request(asked("invoice.updated.Complete"), "key") == ApiRequest(
        "GET", f"/invoices?invoiceId={INVOICE}", {"Authorization": "key"}
    )
    assert api.build_request(asked("transaction.updated.Fail"), "key").path == "/api/v1/transactions/tx-uuid-456"
    assert api.build_request(odd, "key").path == "/invoices?invoiceId=a%26b%3D%231%2F%EA%B9%80"


def test_an_answer_tells_the_invoice_as_the_api_knows_it() -> None:
    translation = answered(asked("invoice.updated.Complete"), sample("tapayz", "api.invoices"))

    payload = InvoicePayload(
        invoice_id=INVOICE,
        customer_id="customer-cuid-123",
        customer_name="John Doe",
        state="Complete",
        title="USDT $100 Purchase",
        cash_amount=100_000,
        cash_currency="KRW",
        crypto_amount="74.074074",
        crypto_asset="1001",
        completed_at=Micros(AT_10_45),
    )
    assert translation == Translation(payload, "invoice.updated", Micros(AT_10_45), f"{INVOICE}:Complete:{AT_10_45}")


def test_an_answer_tells_the_transfer_as_the_api_knows_it() -> None:
    verification_request = VerificationRequest(
        subject="transaction", alias="txn_1234567890", claims={"state": "Pending"}
    )

    payload = answered(verification_request, sample("tapayz", "api.transaction")).payload

    assert isinstance(payload, TransferPayload)
    assert (payload.state, payload.invoice_id, payload.amount) == ("Complete", "inv_abcdef123456", "100.00")


@pytest.mark.parametrize(
    ("claimed", "known", "is_told"),
    [
        ("Pending", "Complete", True),
        ("Complete", "Fail", True),
        ("Ready", "Ready", True),
        ("Complete", "Pending", False),
        ("Pending", "Ready", False),
        ("Cancel", "Wait", False),
    ],
)
def test_while_the_api_is_behind_the_webhook_it_is_asked_again(claimed: str, known: str, is_told: bool) -> None:
    answer = json.loads(sample("tapayz", "api.invoices"))
    answer["list"][0]["state"] = known
    verification_request = VerificationRequest(subject="invoice", alias=INVOICE, claims={"state": claimed})

    if is_told:
        assert answered(verification_request, json.dumps(answer).encode()).payload.state == known  # type: ignore[attr-defined]
    else:
        with pytest.raises(NotKnownYet):
            answered(verification_request, json.dumps(answer).encode())


def test_an_answer_without_the_invoice_is_not_known_yet() -> None:
    with pytest.raises(NotKnownYet):
        answered(VerificationRequest(subject="invoice", alias="another"), sample("tapayz", "api.invoices"))


def test_an_answer_about_another_transfer_is_unreadable() -> None:
    with pytest.raises(InvalidField):
        answered(asked("transaction.updated.Fail"), sample("tapayz", "api.transaction"))


def test_a_planned_expiry_is_not_an_expiry() -> None:
    payload = answered(asked("invoice.updated.Complete"), sample("tapayz", "api.invoices")).payload

    assert isinstance(payload, InvoicePayload)
    assert payload.expired_at is None


@pytest.mark.parametrize(("subject", "name"), [("invoice", "api.invoices"), ("transaction", "api.transaction")])
def test_whatever_is_wrong_in_an_answer_it_is_read_or_refused(subject: str, name: str) -> None:
    for body in mutations(sample("tapayz", name)):
        verification_request = VerificationRequest(
            subject=subject, alias=INVOICE if subject == "invoice" else "txn_1234567890"
        )
        try:
            answered(verification_request, body)
        except (InvalidField, Malformed, NotKnownYet) as wrong:
            assert str(wrong)  # noqa: PT017 - whichever of the three it is


def test_a_confirmed_invoice_is_an_event_of_its_own_name() -> None:
    body = received(sample("tapayz", "invoice.updated.Complete"))
    translation = tapayz.translate_unsigned(body, "invoice.updated")
    unconfirmed = webhook_record(tapayz.PROVIDER, body, "unsigned_allowed", translation, "test")
    assert isinstance(unconfirmed.webhook, UnconfirmedWebhook)
    answer = sample("tapayz", "api.invoices")

    event = confirmed_event(unconfirmed.webhook, answered(unconfirmed.webhook.payload, answer), answer)

    assert (unconfirmed.topic, event.topic) == (topics.UNCONFIRMED, topics.INVOICE_WEBHOOKS)
    assert (event.key, event.webhook.envelope.verification) == (INVOICE, "confirmed")


def test_every_way_of_refusing_is_one_of_ours() -> None:
    for kind in PATHS:
        for body in (b"[]", b"5", b'"x"', b"null", b'{"data":5}', b'{"data":[]}'):
            with pytest.raises(RefusedWebhook):
                translation_of(body, kind)
