"""Payment providers: the order is paid. Webhooks that are unsigned or have no amount are confirmed at the API."""

from dataclasses import replace
from datetime import timedelta, timezone
from urllib.parse import urlencode

import msgspec

from simulator.story import Order, Row, Webhook, as_json, mail, ordered
from simulator.world.api_state import ProviderRecord

KST = timezone(timedelta(hours=9))
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


def toss(order: Order) -> tuple[Webhook, ...]:
    """Return `PAYMENT_STATUS_CHANGED`. `createdAt` has no offset, as in Toss's webhooks."""
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
    return ordered(order), _paid(
        order, "/api/webhooks/toss", as_json(body), api=_api_record(order, "toss", key, "DONE")
    )


def stripe(order: Order) -> tuple[Webhook, ...]:
    """Return `payment_intent.succeeded` with the order in the intent's metadata. KRW has no minor unit."""
    return ordered(order), _intent(order)


def stripe_dispute(order: Order) -> tuple[Webhook, ...]:
    """Return a payment and its dispute, by which the bank takes the money back. Seller and customer share an address.

    The dispute stays open, so its mail is sent whichever of its webhooks comes first.
    """
    at, due_at = order.moment("payment") + timedelta(hours=1), order.now + timedelta(days=7)
    dispute_id = f"dp_{order.order_id}"
    dispute = {
        "id": dispute_id,
        "object": "dispute",
        "amount": order.amount,
        "charge": f"ch_{order.order_id}",
        "created": int(at.timestamp()),
        "currency": "krw",
        "evidence_details": {"due_by": int(due_at.timestamp()), "has_evidence": False, "past_due": False},
        "livemode": False,
        "metadata": {"order_id": order.order_id},
        "payment_intent": f"pi_{order.order_id}",
        "reason": "fraudulent",
        "status": "needs_response",
    }
    passes = (Row("payment", order.order_id, "needs_response"),)
    due = f"{int(due_at.timestamp())}000000"
    opened = mail("DisputeOpened", order.order_id, dispute_id, "dispute", due, audience="seller")
    sold = mail("PaymentCompleted", order.order_id, audience="seller")
    paid = _intent(order)
    disputed = [
        Webhook(
            "/api/webhooks/stripe",
            _stripe_event(order, f"charge.dispute.{name}", dispute, int(at.timestamp())),
            order.order_id,
            mails=(opened,) if name == "created" else (),
            passes=passes,
        )
        for name in ("created", "funds_withdrawn")
    ]
    return ordered(order, sellerEmail=order.email), replace(paid, mails=(*paid.mails, sold)), *disputed


def _intent(order: Order) -> Webhook:
    at = int(order.moment("payment").timestamp())
    intent = {
        "id": f"pi_{order.order_id}",
        "object": "payment_intent",
        "amount": order.amount,
        "amount_received": order.amount,
        "created": at,
        "currency": "krw",
        "livemode": False,
        "metadata": {"order_id": order.order_id},
        "payment_method_types": ["card"],
        "status": "succeeded",
    }
    return _paid(order, "/api/webhooks/stripe", _stripe_event(order, "payment_intent.succeeded", intent, at))


def _stripe_event(order: Order, event_type: str, stripe_object: dict[str, object], at: int) -> bytes:
    event = {
        "id": f"evt_{order.order_id}_{event_type}",
        "object": "event",
        "api_version": "2020-08-27",
        "created": at,
        "data": {"object": stripe_object},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }
    return as_json(event)


def portone_v1(order: Order) -> tuple[Webhook, ...]:
    """Return a V1 webhook: payment id and status, unsigned."""
    key = f"imp_{order.order_id}"
    body = {"imp_uid": key, "merchant_uid": order.order_id, "status": "paid"}
    api = _api_record(order, "portone_v1", key, "paid")
    return ordered(order), _paid(order, "/api/webhooks/portone_v1", as_json(body), api=api)


def portone_v2(order: Order) -> tuple[Webhook, ...]:
    """Return a V2 webhook: signed, without an amount. Its payment id is the shop's order id."""
    key = f"tx-{order.order_id}"
    data = {"storeId": "store-simulated", "paymentId": order.order_id, "transactionId": key}
    body = {"type": "Transaction.Paid", "timestamp": order.at("payment"), "data": data}
    api = _api_record(order, "portone_v2", key, "PAID")
    return ordered(order), _paid(order, "/api/webhooks/portone_v2", as_json(body), api=api)


def inicis(order: Order) -> tuple[Webhook, ...]:
    """Return a mobile notice of a deposit to a virtual account: a form in EUC-KR."""
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
    return ordered(order), _paid(order, "/api/webhooks/inicis", body, headers=FORM, api=api)


def kakaopay(order: Order) -> tuple[Webhook, ...]:
    """Return a webhook of contract E on the shared path, with the provider in a header."""
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
    return ordered(order), _paid(order, "/webhooks/payment", as_json(body), headers=(("X-PG-Provider", "KAKAO"),))


def naverpay(order: Order) -> tuple[Webhook, ...]:
    """Return a webhook of contract E on the provider's own path, with an event id."""
    body = {
        "eventId": f"naver-{order.order_id}",
        "merchant_uid": order.order_id,
        "status": "paid",
        "amount": order.amount,
        "paid_at": int(order.moment("payment").timestamp()),
    }
    return ordered(order), _paid(order, "/api/webhooks/naver", as_json(body))


STORIES = {
    "toss": toss,
    "stripe": stripe,
    "stripe_dispute": stripe_dispute,
    "portone_v1": portone_v1,
    "portone_v2": portone_v2,
    "inicis": inicis,
    "kakaopay": kakaopay,
    "naverpay": naverpay,
}


def _paid(
    order: Order, path: str, body: bytes, *, headers: tuple[tuple[str, str], ...] = (), api: bytes | None = None
) -> Webhook:
    row, paid_mail = Row("payment", order.order_id, "completed"), mail("PaymentCompleted", order.order_id)
    return Webhook(path, body, order.order_id, (row,), (paid_mail,), headers=headers, api=api)


def _api_record(order: Order, provider: str, alias: str, status: str) -> bytes:
    record = ProviderRecord(
        provider=provider,
        alias=alias,
        status=status,
        order_id=order.order_id,
        amount=str(order.amount),
        at=order.at("payment"),
    )
    return msgspec.json.encode(record)
