"""INIAPI v2, Inicis' API: how it is asked for a transaction, and what it answers.

Known from public integrations of `POST /v2/pg/inquiry`, not from a contract of ours: the request and its hash, and in
the answer `resultCode` SUCCESS, `tid`, `oid`, `price`, `paymethod`, `transactionStatus` and `vacctInfo`. Assumed: a
deposit has come when its date is given, and the time in the request may be that at which the notice came.

`INICIS_API_KEY` is `mid:key`, or `mid:key:address` where Inicis checks the address that asks.
"""

from hashlib import sha512

import msgspec

from providers import api_support
from providers.contract import ApiRequest, Contradicted, InvalidField, NotKnownYet, Received, Translation
from providers.parsing.fields import ABSENT, Id, Text
from providers.parsing.money import units_of_any
from providers.parsing.timestamps import in_korea, is_present, korean
from stream.events import PaymentNotice, PaymentStatus, Question

SUCCESS = ("SUCCESS", "00")
ADDRESS = "127.0.0.1"
STATUSES: dict[str, PaymentStatus] = {
    "APPROVAL": "completed",
    "PART_CANCEL": "partially_cancelled",
    "CANCEL": "cancelled",
}
_FOLLOW: dict[str, frozenset[str]] = {
    "deposited": frozenset({"completed", "partially_cancelled", "cancelled"}),
    "paid": frozenset({"completed", "partially_cancelled", "cancelled"}),
    "cancelled": frozenset({"partially_cancelled", "cancelled", "waiting_for_deposit"}),
}


class VirtualAccount(msgspec.Struct):
    """The virtual account of a payment, and what came in."""

    accountNumber: Text | None = None
    depositDate: Text | None = None
    depositTime: Text | None = None


class InicisTransaction(msgspec.Struct):
    """Of INIAPI's answer what we use; never the card or the buyer."""

    resultCode: Text
    tid: Id | None = None
    oid: Id | None = None
    price: msgspec.Raw = ABSENT
    paymethod: Text | None = None
    transactionStatus: Text | None = None
    approvedDate: Text | None = None
    approvedTime: Text | None = None
    vacctInfo: VirtualAccount | None = None


_transaction = msgspec.json.Decoder(InicisTransaction)


def timestamp(at: int) -> str:
    """An instant in microseconds as INIAPI writes it: Korean, YYYYMMDDHHMMSS."""
    return in_korea(at).strftime("%Y%m%d%H%M%S")


def build_request(question: Question, key: str) -> ApiRequest:
    """`POST /v2/pg/inquiry`; the hash is SHA-512 of key, mid, type, time and data."""
    mid, _, rest = key.partition(":")
    api_key, _, address = rest.partition(":")
    asked_at, data = question.claims["asked_at"], {"tid": question.reference}
    hashed = f"{api_key}{mid}inquiry{asked_at}".encode() + msgspec.json.encode(data)
    told = {
        "mid": mid,
        "type": "inquiry",
        "timestamp": asked_at,
        "clientIp": address or ADDRESS,
        "data": data,
        "hashData": sha512(hashed).hexdigest(),
    }
    return ApiRequest(
        "POST", "/v2/pg/inquiry", {"Content-Type": "application/json;charset=utf-8"}, msgspec.json.encode(told)
    )


def read_response(question: Question, received: Received, answer: bytes) -> Translation:  # noqa: ARG001 - no clue in it
    """What Inicis says is true of the transaction now.

    Raises NotKnownYet where it knows of none, Untrue where order, amount or account differ from the notice's.
    """
    transaction = api_support.read(_transaction, answer)
    if transaction.resultCode not in SUCCESS:
        raise NotKnownYet("INIAPI tells of no such transaction")
    if transaction.tid != question.reference:
        raise Contradicted("INIAPI answers of another transaction than was asked for")
    api_support.check_order(question, transaction.oid)
    notice, at = _notice(transaction)
    _check(question, transaction, notice)
    name = f"{transaction.tid}:{transaction.transactionStatus}:{at or ''}"
    return Translation(notice, f"payment.{notice.status}", at, name)


def _check(question: Question, transaction: InicisTransaction, notice: PaymentNotice) -> None:
    claims = question.claims
    if "amount" in claims and claims["amount"] != str(notice.amount):
        raise Contradicted("the transaction's amount is another than the notice says")
    known = transaction.vacctInfo and transaction.vacctInfo.accountNumber
    if "account" in claims and known and claims["account"] != known:
        raise Contradicted("the transaction's account is another than the notice says")
    if not api_support.may_have_been(claims.get("status"), notice.status, _FOLLOW):
        raise Contradicted(f"the transaction is {notice.status}, and never was {claims['status']}")


def _notice(transaction: InicisTransaction) -> tuple[PaymentNotice, int | None]:
    approved_at = korean(f"{transaction.approvedDate or ''}{transaction.approvedTime or ''}", "approvedDate")
    deposit = transaction.vacctInfo
    deposited = f"{deposit.depositDate or ''}{deposit.depositTime or ''}" if deposit else ""
    deposited_at = korean(deposited, "depositDate")
    status = STATUSES.get(transaction.transactionStatus or "")
    if status is None:
        raise InvalidField("transactionStatus is none that Inicis is known to send")
    if deposit and status == "completed" and not is_present(deposited):
        status = "waiting_for_deposit"
    paid_at = deposited_at if deposit else approved_at
    notice = PaymentNotice(
        order_id=transaction.oid,
        reference=None if transaction.oid else transaction.tid,
        status=status,
        method=transaction.paymethod or None,
        transaction_id=transaction.tid,
        amount=units_of_any(transaction.price, "KRW", "price"),
        paid_at=paid_at,
        references=(transaction.tid,) if transaction.tid else (),
    )
    return notice, paid_at if status == "completed" else approved_at
