"""Payment providers: the order is paid. Webhooks that are unsigned or have no amount are confirmed at the API.

Each story is the shop's order webhook and then one webhook of the provider.
"""

from datetime import timedelta, timezone
from urllib.parse import urlencode

import msgspec

from simulator.order import SimulatedOrder
from simulator.story import SimulatedWebhook, as_json, ordered, paid
from simulator.world.api_state import ProviderRecord

KST = timezone(timedelta(hours=9))
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


def toss(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order webhook, then `PAYMENT_STATUS_CHANGED`, whose `createdAt` has no offset, as Toss's."""
    key, at = f"pk_{order.order_id}", order.moment("payment").astimezone(KST)
    payment = {
        "mId": "tosspayments",
        "version": "2022-11-16",
        "lastTransactionKey": f"DONE-{key}"[:64],
        "paymentKey": key,
        "orderId": order.order_id,
        "orderName": "simulated",
        "status": "DONE",
        "requestedAt": at.isoformat(timespec="seconds"),
        "approvedAt": at.isoformat(timespec="seconds"),
        "type": "NORMAL",
        "currency": "KRW",
        "totalAmount": order.amount,
        "balanceAmount": order.amount,
        "method": "카드",
    }
    body = {"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": f"{at:%Y-%m-%dT%H:%M:%S.%f}", "data": payment}
    return ordered(order), paid(order, "/api/webhooks/toss", as_json(body), api=_api_record(order, "toss", key, "DONE"))


def portone_v1(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order webhook, then a V1 webhook: payment id and status, unsigned."""
    key = f"imp_{order.order_id}"
    body = {"imp_uid": key, "merchant_uid": order.order_id, "status": "paid"}
    api = _api_record(order, "portone_v1", key, "paid")
    return ordered(order), paid(order, "/api/webhooks/portone_v1", as_json(body), api=api)


def portone_v2(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order webhook, then a V2 webhook: signed, without an amount. Its payment id is the order id."""
    key = f"tx-{order.order_id}"
    data = {"storeId": "store-simulated", "paymentId": order.order_id, "transactionId": key}
    body = {"type": "Transaction.Paid", "timestamp": order.at("payment"), "data": data}
    api = _api_record(order, "portone_v2", key, "PAID")
    return ordered(order), paid(order, "/api/webhooks/portone_v2", as_json(body), api=api)


def inicis(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order webhook, then a mobile notice of a deposit to a virtual account: a form in EUC-KR."""
    key = f"StdpayVBNK{order.order_id}"
    fields = {
        "P_TID": key,
        "P_MID": "INIpayTest",
        "P_AUTH_DT": f"{order.moment('payment').astimezone(KST):%Y%m%d%H%M%S}",
        "P_STATUS": "02",
        "P_TYPE": "VBANK",
        "P_OID": order.order_id,
        "P_FN_CD1": "04",
        "P_FN_NM": "국민은행",
        "P_AMT": order.amount,
        "P_UNAME": order.name,
        "P_RMESG1": "P_VACCT_NO=12345678901234|P_EXP_DT=20991231",
    }
    body = urlencode(fields, encoding="cp949").encode()
    api = _api_record(order, "inicis", key, "APPROVAL")
    return ordered(order), paid(order, "/api/webhooks/inicis", body, headers=FORM, api=api)


def kakaopay(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order webhook, then one of contract E on the shared path, with the provider in a header."""
    body = {
        "aid": f"A{order.order_id}",
        "tid": f"T{order.order_id}",
        "cid": "TC0ONETIME",
        "status": "SUCCESS_PAYMENT",
        "partner_order_id": order.order_id,
        "partner_user_id": "simulated",
        "payment_method_type": "MONEY",
        "amount": {"total": order.amount, "tax_free": 0, "vat": 0, "point": 0, "discount": 0},
        "approved_at": f"{order.moment('payment').astimezone(KST):%Y-%m-%dT%H:%M:%S}",
    }
    return ordered(order), paid(order, "/webhooks/payment", as_json(body), headers=(("X-PG-Provider", "KAKAO"),))


def naverpay(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order webhook, then one of contract E on the provider's own path, with an event id."""
    body = {
        "eventId": f"naver-{order.order_id}",
        "merchant_uid": order.order_id,
        "status": "paid",
        "amount": order.amount,
        "paid_at": int(order.moment("payment").timestamp()),
    }
    return ordered(order), paid(order, "/api/webhooks/naver", as_json(body))


STORIES = {
    "toss": toss,
    "portone_v1": portone_v1,
    "portone_v2": portone_v2,
    "inicis": inicis,
    "kakaopay": kakaopay,
    "naverpay": naverpay,
}


def _api_record(order: SimulatedOrder, provider: str, alias: str, status: str) -> bytes:
    record = ProviderRecord(
        provider=provider,
        alias=alias,
        status=status,
        order_id=order.order_id,
        amount=str(order.amount),
        at=order.at("payment"),
    )
    return msgspec.json.encode(record)
