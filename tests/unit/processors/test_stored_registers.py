"""Rows that were written before states were typed are read, and written again with the same registers."""

import json

import msgspec
import pytest

from processors.invoice.domain import Invoice, TransferRegisters
from processors.order.domain import Inputs
from processors.payment import row_mapping as payments
from processors.payment.domain.payment_registers import PaymentRegisters, TransactionRegisters
from processors.refund.domain import Refund
from processors.refund.row_mapping import dump_pending, load_pending
from processors.shipping.domain import ShipmentRegisters
from processors.subscription.domain import PaidOrder
from stream.state import registers

EARLY, LATE = '[0,1700000000000000,0,"e1"]', '[2,1700000060000000,1,"e2"]'
SHIPMENT = f'{{"status":[{LATE},"delivered"],"carrier":[{EARLY},"CJ"],"order_id":[{EARLY},"1"]}}'
ORDER = f'{{"cancelled_at":[{EARLY},1700000000000000],"restored:e2":[{LATE},1700000060000000]}}'
REFUND = (
    f'{{"status":[{LATE},"completed"],"amount":[{EARLY},1000],"reported_by_payment":[{EARLY},true],'
    f'"rejected@0":[{EARLY},true],"completed@1700000060000000":[{LATE},true]}}'
)
INVOICE = (
    f'{{"invoice_id":[{EARLY},"I-1"],"state":[{LATE},"Fail"],"reason":[{EARLY},"expired"],"cash_amount":[{EARLY},0],'
    f'"reason:Fail":[{LATE},"amount_mismatch"],"received_amount:Fail":[{LATE},"1.5"],"expired_at:Cancel":[{EARLY},7]}}'
)
TRANSFER = f'{{"alias":[{EARLY},"r"],"transaction_id":[{EARLY},"tx"],"block_number":[{LATE},7]}}'
PAYMENT = f'{{"status":[{LATE},"completed"],"transaction":[{LATE},"tx"],"deposited":[{LATE},true]}}'
TRANSACTION = f'{{"status":[{LATE},"completed"],"amount":[{EARLY},0],"refunded_amount":[[1000,0,0,""],1000]}}'


@pytest.mark.parametrize(
    ("stored", "again"),
    [
        (SHIPMENT, registers.dump(registers.load(ShipmentRegisters, SHIPMENT))),
        (ORDER, PaidOrder.load(ORDER).dump()),
        (REFUND, Refund.load(REFUND).dump()),
        (INVOICE, Invoice.load("I-1", 1, INVOICE).dump()),
        (TRANSFER, registers.dump(registers.load(TransferRegisters, TRANSFER))),
        (PAYMENT, registers.dump(registers.load(PaymentRegisters, PAYMENT))),
        (TRANSACTION, registers.dump(registers.load(TransactionRegisters, TRANSACTION))),
    ],
    ids=["shipment", "order of a subscription", "refund", "invoice", "transfer", "payment", "transaction"],
)
def test_every_register_of_a_row_is_kept(stored: str, again: str) -> None:
    assert json.loads(again) == json.loads(stored)


def test_refunds_that_wait_for_their_order_are_kept() -> None:
    paid = f'{{"tx":[{EARLY},[58000,"KRW","stripe",null]]}}'
    refunds = f'{{"order_id":"","version":1,"refunds":{{"R-1":{REFUND}}},"paid":{paid}}}'
    stored = f'{{"order_id":null,"pending":{refunds},"waiting":["e2"]}}'

    assert json.loads(dump_pending(load_pending(stored))) == json.loads(stored)


def test_a_payment_that_waits_for_its_order_is_kept() -> None:
    log = (
        f'{{"completed\\n1700000000000000\\ntx":[{LATE},["stripe","tx"]],"failed\\n0\\ntx":[{EARLY},["tx","",false]],'
        f'"refunded\\n0\\ntx":[[1000,0,0,""],1000],"refund\\nR-1":[{LATE},["completed",1700000060000000,"tx"]],'
        f'"amount\\nR-1":[{LATE},1000],"succeeded\\nR-1":[[0,0,0,""],true]}}'
    )
    parts = f'"transactions":{{"tx":{TRANSACTION}}},"cancels":{{"c1":[{EARLY},[1000,"tx"]]}},"entries":{log}'
    claim = f'{{"provider":"stripe","transaction":"tx","parts":{{"registers":{PAYMENT},{parts}}},"names":["tx"],'
    claim += '"is_confirmed":false,"waiting":["e1"]}'
    payment = (
        f'{{"order_id":"","version":1,"registers":{PAYMENT},{parts},"order":{{"amount":[{EARLY},58000]}},'
        f'"base":{{"registers":{PAYMENT},{parts}}},"claims":{{"stripe\\ntx":{claim}}},'
        f'"disputes":{{"dp_1":{{"status":[{LATE},"lost"],"funds":[{EARLY},"withdrawn"]}}}}}}'
    )
    stored = f'{{"order_id":null,"pending":{payment},"waiting":["e2"]}}'

    assert json.loads(payments.dump_pending(payments.load_pending(stored))) == json.loads(stored)


def test_the_first_event_of_each_webhook_of_an_order_is_kept() -> None:
    stored = '{"carriers":{"w1":[[1,0],"e1"]}}'

    inputs = msgspec.json.decode(stored, type=Inputs)

    assert inputs.first_events == {"w1": ((1, 0), "e1")}
    assert json.loads(msgspec.json.encode(inputs)) == json.loads(stored)
    assert msgspec.json.encode(Inputs()) == b"{}"
