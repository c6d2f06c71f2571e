"""Contract D over HTTP: what Tapayz posts, and what it is answered, to the letter."""

import json
from typing import Any

import pytest

from providers.tapayz import webhook as tapayz
from simulator import signing
from stream.events import topics
from tests.actors import new_order
from tests.contract.sender import Sender, of, sender
from tests.gateways import another_gateway
from tests.log import reading
from tests.unit.providers.mutations import sample, samples

INVOICE, CREATE, UPDATE = "/callback/update-invoice", "/callback/create-transaction", "/callback/update-transaction"
ANY = "/api/webhooks/tapayz"
OK = (200, {"status": "ok"})
INVALID_EVENT = (400, {"error": "Invalid event type"})
STATES = samples("tapayz", "invoice.updated")
TRANSFERS = {
    "create-transaction.flat-variant.Pending": CREATE,
    "transaction.created.Pending": CREATE,
    "transaction.updated.Complete": UPDATE,
    "transaction.updated.Fail": UPDATE,
    "update-transaction.flat-variant.Complete": UPDATE,
}


@pytest.fixture
def sends(system: dict[str, str]) -> Sender:
    """Tapayz, at this system."""
    return sender(system, tapayz.PROVIDER)


def said(name: str, **fields: Any) -> tuple[bytes, str]:
    """A sample about something of its own, and what that is called."""
    body, name_of_it = json.loads(sample("tapayz", name)), new_order()
    data = body.get("data", body)
    data.update({"invoiceId" if "invoice" in name else "id": name_of_it, **fields})
    return json.dumps(body, ensure_ascii=False).encode(), name_of_it


@pytest.mark.parametrize("name", STATES)
def test_each_state_of_an_invoice_is_answered_ok_and_appended(system: dict[str, str], sends: Sender, name: str) -> None:
    body, invoice = said(name)

    with reading(system, topics.INVOICE_WEBHOOKS) as records:
        answer = of(sends.post(INVOICE, body))
        record = records.wait_for(lambda record: record.payload.invoice_id == invoice)

    assert answer == OK
    assert record.payload.state == json.loads(body)["data"]["state"]
    assert record.envelope.verification == "signature"


@pytest.mark.parametrize(("name", "path"), TRANSFERS.items())
def test_each_state_of_a_transfer_is_answered_ok_and_appended(
    system: dict[str, str], sends: Sender, name: str, path: str
) -> None:
    body, transfer = said(name)

    with reading(system, topics.INVOICE_WEBHOOKS) as records:
        answer = of(sends.post(path, body))
        record = records.wait_for(lambda record: record.payload.transaction_id == transfer)

    assert (answer, record.payload.state) == (OK, name.rpartition(".")[2])


def test_a_flat_body_is_accepted(sends: Sender) -> None:
    body, _ = said("update-invoice.flat-variant.Pending")

    assert of(sends.post(INVOICE, body)) == OK


def test_any_of_the_three_is_accepted_at_the_providers_own_path(sends: Sender) -> None:
    names = ("invoice.updated.Complete", "transaction.created.Pending", "transaction.updated.Fail")

    assert [of(sends.post(ANY, said(name)[0])) for name in names] == [OK, OK, OK]


def test_what_is_signed_over_the_compact_form_is_accepted(sends: Sender) -> None:
    body, _ = said("invoice.updated.Pending")
    compact = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
    signature = signing.tapayz(compact, sends.secret.encode())["X-Signature"]

    assert of(sends.post(INVOICE, body, X_Signature=signature)) == OK


@pytest.mark.parametrize(
    ("path", "event"),
    [
        (INVOICE, "transaction.created"),
        (CREATE, "transaction.updated"),
        (UPDATE, "invoice.updated"),
        (INVOICE, "invoice.deleted"),
        (ANY, "invoice.deleted"),
    ],
)
def test_another_event_name_is_answered_400_to_the_letter(sends: Sender, path: str, event: str) -> None:
    assert of(sends.post(path, json.dumps({"event": event, "data": {}}).encode())) == INVALID_EVENT


@pytest.mark.parametrize("path", [INVOICE, CREATE, UPDATE, ANY])
@pytest.mark.parametrize("headers", [{}, {"X-Signature": "00"}, {"X-Webhook-Signature": "00"}])
def test_a_missing_or_wrong_signature_is_answered_401(sends: Sender, path: str, headers: dict[str, str]) -> None:
    status, body = of(sends.send(path, said("invoice.updated.Pending")[0], headers))

    assert (status, body["error"]) == (401, "invalid_signature")


def test_an_unknown_state_is_answered_ok_and_kept(system: dict[str, str], sends: Sender) -> None:
    body, _ = said("invoice.updated.Pending", state="Frozen")

    with reading(system, topics.QUARANTINE) as stored:
        answer = of(sends.post(INVOICE, body))
        record = stored.wait_for(lambda record: record.raw == body)

    assert (answer, record.cause) == (OK, "unsupported_type")


@pytest.mark.parametrize("amount", ["100000.5", 100000.5, "1e-1", "1e999999999"])
def test_an_amount_finer_than_its_currency_is_refused_and_kept(
    system: dict[str, str], sends: Sender, amount: Any
) -> None:
    body, _ = said("invoice.updated.Complete", cashAmount=amount)

    with reading(system, topics.QUARANTINE) as stored:
        status, published = of(sends.post(INVOICE, body))
        record = stored.wait_for(lambda record: record.raw == body)

    assert (status, published["error"], record.cause) == (400, "invalid_field", "invalid_field")


@pytest.mark.parametrize("secret", ["a secret of sixteen", ""])
def test_where_unsigned_is_allowed_it_is_a_verification_request_and_a_wrong_signature_is_none(
    system: dict[str, str], secret: str
) -> None:
    body, invoice = said("invoice.updated.Complete")
    settings = {"TAPAYZ_ALLOW_UNSIGNED": "true", "TAPAYZ_WEBHOOK_SECRET": secret}

    with reading(system, topics.UNCONFIRMED) as requested, another_gateway(system, **settings) as (shop, *_):
        unsigned = Sender(shop.url, tapayz.PROVIDER, secret)
        answer = of(unsigned.send(INVOICE, body, {}))
        record = requested.wait_for(lambda record: record.payload.alias == invoice)
        forged = unsigned.send(INVOICE, body, {"X-Signature": "00"})

    assert answer == OK
    assert (record.payload.subject, record.payload.claims) == ("invoice", {"state": "Complete"})
    assert record.envelope.verification == "unsigned_allowed"
    assert forged.status == (401 if secret else 200)  # without a secret nothing tells a wrong signature from none
