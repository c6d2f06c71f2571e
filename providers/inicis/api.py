"""INIAPI v2, Inicis' API: the request for a transaction, and its response.

Known from public integrations of `POST /v2/pg/inquiry`, not from a contract of ours: the request and its hash, and in
the response `resultCode` SUCCESS, `tid`, `oid`, `price`, `paymethod`, `transactionStatus` and `vacctInfo`. Assumed: a
deposit was made if its date is present, and the request may have the time at which the webhook was received. No public
document lists the codes of other results, so one for a wrong key cannot be told from one for an unknown transaction:
the error names both possibilities, with the code and the message of INIAPI.

`INICIS_API_KEY` is `mid:key`, or `mid:key:address` where Inicis checks the client's address.
"""

from hashlib import sha512

import msgspec

from providers import api_support
from providers.contract import ApiRequest, Contradicted, InvalidField, NotKnownYet, Received, Translation
from providers.inicis.objects import InicisTransaction
from providers.parsing.money import units_of_any
from providers.parsing.timestamps import in_korea, is_present, korean
from stream.events import Micros, PaymentPayload, PaymentStatus, VerificationRequest

SUCCESS = ("SUCCESS", "00")
ADDRESS = "127.0.0.1"
"""The client's address in a request if the key names none."""
STATUSES: dict[str, PaymentStatus] = {
    "APPROVAL": "completed",
    "PART_CANCEL": "partially_cancelled",
    "CANCEL": "cancelled",
}
_LATER_STATES: dict[str, frozenset[str]] = {
    "deposited": frozenset({"completed", "partially_cancelled", "cancelled"}),
    "paid": frozenset({"completed", "partially_cancelled", "cancelled"}),
    "cancelled": frozenset({"partially_cancelled", "cancelled", "waiting_for_deposit"}),
}
"""Claimed status → the statuses that the transaction may have afterwards."""
_transaction = msgspec.json.Decoder(InicisTransaction)


def timestamp(at: int) -> str:
    """Format an instant (microseconds since 1970 UTC) as Korean time, YYYYMMDDHHMMSS."""
    return in_korea(at).strftime("%Y%m%d%H%M%S")


def build_request(request: VerificationRequest, key: str) -> ApiRequest:
    """Return `POST /v2/pg/inquiry`, signed with a SHA-512 of API key, mid, type, time and data.

    `key` is `mid:key` or `mid:key:address`. The time is the claim `asked_at`; raises KeyError without that claim.
    """
    mid, _, credentials = key.partition(":")
    api_key, _, address = credentials.partition(":")
    requested_at, data = request.claims["asked_at"], {"tid": request.alias}
    hashed = f"{api_key}{mid}inquiry{requested_at}".encode() + msgspec.json.encode(data)
    body = {
        "mid": mid,
        "type": "inquiry",
        "timestamp": requested_at,
        "clientIp": address or ADDRESS,
        "data": data,
        "hashData": sha512(hashed).hexdigest(),
    }
    return ApiRequest(
        "POST", "/v2/pg/inquiry", {"Content-Type": "application/json;charset=utf-8"}, msgspec.json.encode(body)
    )


def read_response(request: VerificationRequest, _received: Received, response: bytes) -> Translation:
    """Translate the transaction's state at Inicis.

    Raises NotKnownYet for every result but success; Contradicted if transaction, order, amount or account differ from
    the webhook's, or if the transaction never had the claimed status; InvalidField for an unreadable response or an
    unknown status.
    """
    transaction = api_support.decode(_transaction, response)
    if transaction.resultCode not in SUCCESS:
        result = f"{transaction.resultCode} {transaction.resultMsg or ''}".strip()
        raise NotKnownYet(f"INIAPI has no such transaction, or refuses INICIS_API_KEY: it answered {result}")
    if transaction.tid != request.alias:
        raise Contradicted("INIAPI responded with another transaction")
    api_support.check_order(request, transaction.oid)
    payload, at = _payload(transaction)
    _check(request, transaction, payload)
    name = f"{transaction.tid}:{transaction.transactionStatus}:{at or ''}"
    return Translation(payload, f"payment.{payload.status}", at, name)


def _check(request: VerificationRequest, transaction: InicisTransaction, payload: PaymentPayload) -> None:
    claims = request.claims
    if "amount" in claims and claims["amount"] != str(payload.amount):
        raise Contradicted("the transaction has another amount than the webhook")
    known = transaction.vacctInfo and transaction.vacctInfo.accountNumber
    if "account" in claims and known and claims["account"] != known:
        raise Contradicted("the transaction has another account than the webhook")
    if not api_support.may_have_been(claims.get("status"), payload.status, _LATER_STATES):
        raise Contradicted(f"the transaction is {payload.status}, and was never {claims['status']}")


def _payload(transaction: InicisTransaction) -> tuple[PaymentPayload, Micros | None]:
    approved_at = korean(f"{transaction.approvedDate or ''}{transaction.approvedTime or ''}", "approvedDate")
    deposit = transaction.vacctInfo
    deposited = f"{deposit.depositDate or ''}{deposit.depositTime or ''}" if deposit else ""
    deposited_at = korean(deposited, "depositDate")
    status = STATUSES.get(transaction.transactionStatus or "")
    if status is None:
        raise InvalidField("transactionStatus is not one that Inicis is known to send")
    if deposit and status == "completed" and not is_present(deposited):
        status = "waiting_for_deposit"
    paid_at = deposited_at if deposit else approved_at
    payload = PaymentPayload(
        order_id=transaction.oid,
        alias=None if transaction.oid else transaction.tid,
        status=status,
        method=transaction.paymethod or None,
        transaction_id=transaction.tid,
        amount=units_of_any(transaction.price, "KRW", "price"),
        paid_at=paid_at,
        aliases=(transaction.tid,) if transaction.tid else (),
    )
    return payload, paid_at if status == "completed" else approved_at
