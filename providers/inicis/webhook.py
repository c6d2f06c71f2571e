"""KG Inicis: unsigned notices as form parameters in Korean bytes, each a question for INIAPI; it posts until `OK`.

PC and mobile name their fields differently: a deposit into a virtual account is `type_msg` 0200 there, `P_STATUS` 02
here. The mobile notice that an account was issued (VBANK, not 02) is answered `OK` and asks for nothing.
"""

import re
from collections.abc import Sequence

import msgspec

from providers import api_support
from providers.contract import (
    ApiVerification,
    InvalidField,
    Provider,
    Received,
    Translation,
    Unsupported,
    WebhookResponse,
)
from providers.inicis import api as iniapi
from providers.parsing import form, json_body
from providers.parsing.fields import Id
from providers.parsing.money import exact_units
from stream.events import Question

OK = WebhookResponse(200, b"OK", b"text/plain")
DEPOSIT, DEPOSIT_CANCELLED = "0200", "0400"
_ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
_READ = frozenset("P_TID P_OID P_STATUS P_TYPE P_AMT type_msg amt_input no_vacct no_tid no_oid".split())
"""The fields that decide: all of them are ASCII, and no others are read."""
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


class InicisIds(msgspec.Struct):
    """What both kinds name: Inicis' transaction, the shop's order."""

    transaction: Id
    order: Id | None = None


_json = msgspec.json.Decoder(dict[str, msgspec.Raw])
_names = msgspec.json.Decoder(InicisIds)
_json_text = msgspec.json.Decoder(str)


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001 - nothing is signed
    """The headers Inicis adds to this body."""
    is_json = payload.lstrip().startswith(b"{")
    return {} if is_json else {"Content-Type": f"{form.CONTENT_TYPE}; charset=euc-kr"}


def translate(received: Received, kind: str) -> Translation:  # noqa: ARG001 - one path
    """The question a notice raises; Unsupported for what tells of no money."""
    fields = _fields(received)
    question, event = _mobile(fields) if "P_TID" in fields or "P_STATUS" in fields else _pc(fields)
    question.claims["asked_at"] = iniapi.timestamp(received.received_at)
    return Translation(question, event, None)


def _mobile(fields: dict[str, str]) -> tuple[Question, str]:
    status = fields.get("P_STATUS")
    if status not in ("00", "01", "02"):
        raise Unsupported("its P_STATUS is none that Inicis documents")
    if fields.get("P_TYPE") == "VBANK" and status != "02":
        raise Unsupported("an account was issued, nothing is paid into it yet")
    claims = {"status": {"00": "paid", "01": "failed", "02": "deposited"}[status], "amount": _amount(fields, "P_AMT")}
    return _question(fields, "P_TID", "P_OID", claims), f"P_STATUS.{status}"


def _pc(fields: dict[str, str]) -> tuple[Question, str]:
    message = fields.get("type_msg")
    if message not in (DEPOSIT, DEPOSIT_CANCELLED):
        raise Unsupported("its type_msg is neither a deposit nor its cancel")
    claims = {
        "status": "deposited" if message == DEPOSIT else "cancelled",
        "amount": _amount(fields, "amt_input"),
        "account": _account(fields),
    }
    return _question(fields, "no_tid", "no_oid", claims), f"type_msg.{message}"


def _question(fields: dict[str, str], transaction: str, order: str, claims: dict[str, str | None]) -> Question:
    named = {"transaction": fields.get(transaction), "order": fields.get(order)}
    names = form.typed({name: value for name, value in named.items() if value}, _names)
    return Question(
        subject="transaction",
        reference=names.transaction,
        order_id=names.order,
        claims={name: value for name, value in claims.items() if value},
    )


def _fields(received: Received) -> dict[str, str]:
    """The parameters that are filled in; Inicis writes the Korean of EUC-KR's superset, if not UTF-8."""
    if form.is_form(received):
        is_utf_8 = "utf-8" in received.headers[form.KIND].lower()
        encodings: Sequence[str] = ("utf-8", "cp949") if is_utf_8 else ("cp949", "utf-8")
        fields = form.parameters(received.body, *encodings)
    else:
        told = json_body.read(_json, received.body)
        fields = {name: _text(told[name]) for name in _READ & told.keys()}
    return {name: text for name, value in fields.items() if (text := value.strip())}


def _text(value: msgspec.Raw) -> str:
    """A field of a JSON body as a form would have it: a number as it is written."""
    written = bytes(value).decode()
    if written == "null":
        return ""
    if written.startswith('"'):
        return json_body.read_again(_json_text, bytes(value))
    if written[0] not in "-0123456789":
        raise InvalidField("its fields must be texts")
    return written


def _amount(fields: dict[str, str], field: str) -> str | None:
    """The amount in won: digits, padded with zeros or not, perhaps with a point or an exponent."""
    text = fields.get(field)
    return str(exact_units(text, "KRW", field)) if text else None


def _account(fields: dict[str, str]) -> str | None:
    account = fields.get("no_vacct")
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise InvalidField("no_vacct must be the number of an account")
    return account


def _ok(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    return OK


PROVIDER = Provider(
    name="inicis",
    paths={"/api/webhooks/inicis": "payment"},
    secret_setting="INICIS_WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=api_support.accept_unsigned,
    translate=translate,
    sign=sign,
    kept_headers=frozenset({form.KIND}),
    answer=_ok,
    refusals={
        cause: WebhookResponse(status, b"FAIL", b"text/plain")
        for status, causes in _STATUS_OF.items()
        for cause in causes
    },
    is_unsigned=True,
    takes_forms=True,
    api_verification=ApiVerification("https://iniapi.inicis.com", iniapi.build_request, iniapi.read_response),
    proof="nothing: the API is asked",
    events="deposits to virtual accounts and mobile notices; issued accounts are kept aside",
)
