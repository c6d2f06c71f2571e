"""KG Inicis: unsigned forms in a Korean encoding, sent until the answer is `OK`; each causes a request to INIAPI.

PC and mobile webhooks name their fields differently: a deposit into a virtual account is `type_msg` 0200 on PC and
`P_STATUS` 02 on mobile. A mobile webhook about an issued account (VBANK, not 02) gets `OK` and no API request.
"""

import re
from collections.abc import Sequence

import msgspec

from providers import api_support
from providers.contract import ApiVerification, InvalidField, Provider, Received, Translation, Unsupported
from providers.inicis import api
from providers.inicis.objects import InicisIds
from providers.parsing import form, json_body
from providers.parsing.money import exact_units
from providers.responses import WebhookResponse, always
from stream.events import VerificationRequest

OK = WebhookResponse(200, b"OK", b"text/plain")
DEPOSIT, DEPOSIT_CANCELLED = "0200", "0400"
_ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
_FIELDS = frozenset("P_TID P_OID P_STATUS P_TYPE P_AMT type_msg amt_input no_vacct no_tid no_oid".split())
"""The only fields that are read. Their values are ASCII."""
_STATUS_OF = {
    400: ("malformed_request", "malformed_body", "invalid_field", "wrong_event"),
    401: ("invalid_signature", "stale_timestamp"),
    403: ("source_not_allowed",),
    404: ("provider_not_configured",),
    408: ("body_timeout",),
    413: ("body_too_large",),
    429: ("rate_limited",),
    503: ("unavailable",),
}
_json = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ids = msgspec.json.Decoder(InicisIds)
_json_text = msgspec.json.Decoder(str)


def translate(received: Received, _kind: str) -> Translation:
    """Return the verification request for a webhook, form or JSON.

    Raises Unsupported for an account without a deposit, and for a status or message that Inicis does not document,
    Malformed or InvalidField for a body that cannot be read.
    """
    fields = _fields(received)
    request, event = _mobile(fields) if "P_TID" in fields or "P_STATUS" in fields else _pc(fields)
    request.claims["asked_at"] = api.timestamp(received.received_at)
    return Translation(request, event, None)


def _mobile(fields: dict[str, str]) -> tuple[VerificationRequest, str]:
    status = fields.get("P_STATUS")
    if status not in ("00", "01", "02"):
        raise Unsupported("Inicis does not document the P_STATUS of the body")
    if fields.get("P_TYPE") == "VBANK" and status != "02":
        raise Unsupported("an account was issued and has no deposit yet")
    claims = {"status": {"00": "paid", "01": "failed", "02": "deposited"}[status], "amount": _amount(fields, "P_AMT")}
    return _verification_request(fields, "P_TID", "P_OID", claims), f"P_STATUS.{status}"


def _pc(fields: dict[str, str]) -> tuple[VerificationRequest, str]:
    message = fields.get("type_msg")
    if message not in (DEPOSIT, DEPOSIT_CANCELLED):
        raise Unsupported("type_msg is neither that of a deposit nor that of its cancel")
    claims = {
        "status": "deposited" if message == DEPOSIT else "cancelled",
        "amount": _amount(fields, "amt_input"),
        "account": _account(fields),
    }
    return _verification_request(fields, "no_tid", "no_oid", claims), f"type_msg.{message}"


def _verification_request(
    fields: dict[str, str], transaction: str, order: str, claims: dict[str, str | None]
) -> VerificationRequest:
    values = {"transaction": fields.get(transaction), "order": fields.get(order)}
    ids = form.typed(api_support.without_empty(values), _ids)
    return VerificationRequest(
        subject="transaction",
        alias=ids.transaction,
        order_id=ids.order,
        claims=api_support.without_empty(claims),
    )


def _fields(received: Received) -> dict[str, str]:
    """Return the parameters that are not blank. Inicis uses cp949, the superset of EUC-KR, or UTF-8."""
    if form.is_form(received):
        is_utf_8 = "utf-8" in received.headers[form.HEADER].lower()
        encodings: Sequence[str] = ("utf-8", "cp949") if is_utf_8 else ("cp949", "utf-8")
        fields = form.parameters(received.body, *encodings)
    else:
        body = json_body.read(_json, received.body)
        fields = {name: _text(body[name]) for name in _FIELDS & body.keys()}
    return {name: text for name, value in fields.items() if (text := value.strip())}


def _text(value: msgspec.Raw) -> str:
    """Return a field of a JSON body as a form would have it. Raises InvalidField for objects, lists and booleans."""
    written = bytes(value).decode()
    if written == "null":
        return ""
    if written.startswith('"'):
        return json_body.read_again(_json_text, bytes(value))
    if written[0] not in "-0123456789":
        raise InvalidField("the fields of the body must be texts")
    return written


def _amount(fields: dict[str, str], field: str) -> str | None:
    """Return the amount in won as plain digits; None without one.

    The field may have leading zeros, a point or an exponent. Raises InvalidField for anything else.
    """
    text = fields.get(field)
    return str(exact_units(text, "KRW", field)) if text else None


def _account(fields: dict[str, str]) -> str | None:
    account = fields.get("no_vacct")
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise InvalidField("no_vacct must be the number of an account")
    return account


PROVIDER = Provider(
    name="inicis",
    paths={"/api/webhooks/inicis": "payment"},
    secret_setting="INICIS_WEBHOOK_SECRET",
    verify=api_support.accept_unsigned,
    translate=translate,
    stored_headers=frozenset({form.HEADER}),
    success_response=always(OK),
    refusals={
        cause: WebhookResponse(status, b"FAIL", b"text/plain")
        for status, causes in _STATUS_OF.items()
        for cause in causes
    },
    is_unsigned=True,
    takes_forms=True,
    api_verification=ApiVerification("https://iniapi.inicis.com", api.build_request, api.read_response),
    authentication="nothing: the API is asked",
    events="deposits to virtual accounts and mobile notifications; issued accounts are quarantined",
)
