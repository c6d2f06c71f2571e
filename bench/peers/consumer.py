"""FastStream + asyncpg + aiosmtplib: one upsert and commit per message, then a mail to the order's customer.

Run by bench/peers/fastapi_gateway.py in a virtual environment of its own: `python -m consumer`.
With FastStream's defaults, offsets are committed automatically every few seconds, so a crash loses or repeats messages.
"""

import os
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiosmtplib
import asyncpg
import uvloop
from faststream import FastStream
from faststream.kafka import KafkaBroker
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
app = FastStream(broker)
templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
smtp = urlsplit(os.environ["SMTP_URL"])
pool: Any = None


class Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class Order(Model):
    order_id: str
    customer_email: str
    customer_name: str
    locale: str
    amount: int
    link: str
    updated_at: datetime


class Payment(Model):
    order_id: str
    status: str
    payment_method: str
    transaction_id: str
    amount: int
    paid_at: datetime


class Shipping(Model):
    order_id: str
    tracking_number: str
    carrier: str
    status: str
    location: str
    timestamp: datetime


class Refund(Model):
    order_id: str
    refund_id: str
    amount: int
    reason: str
    status: str
    processed_at: datetime


@app.on_startup
async def connect() -> None:
    global pool  # noqa: PLW0603 - as in FastStream's documentation
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"])


@broker.subscriber("peer.order", group_id="peer", auto_offset_reset="earliest")
async def on_order(order: Order) -> None:
    await pool.execute(
        """INSERT INTO peer_orders (order_id, email, name, locale, amount, link, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (order_id) DO UPDATE SET email = excluded.email, name = excluded.name, locale = excluded.locale,
               amount = excluded.amount, link = excluded.link, updated_at = excluded.updated_at""",
        *(order.order_id, order.customer_email, order.customer_name, order.locale, order.amount, order.link),
        order.updated_at,
    )


@broker.subscriber("peer.payment", group_id="peer", auto_offset_reset="earliest")
async def on_payment(payment: Payment) -> None:
    await pool.execute(
        """INSERT INTO peer_payments (order_id, status, method, transaction_id, amount, paid_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, method = excluded.method,
               transaction_id = excluded.transaction_id, amount = excluded.amount, paid_at = excluded.paid_at""",
        *(payment.order_id, payment.status, payment.payment_method, payment.transaction_id, payment.amount),
        payment.paid_at,
    )
    if payment.status == "completed":
        await send_mail("payment", payment.order_id, f"Paid: {payment.amount:,} KRW")


@broker.subscriber("peer.shipping", group_id="peer", auto_offset_reset="earliest")
async def on_shipping(parcel: Shipping) -> None:
    await pool.execute(
        """INSERT INTO peer_shipments (order_id, tracking_number, carrier, status, location, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, location = excluded.location,
               changed_at = excluded.changed_at""",
        *(parcel.order_id, parcel.tracking_number, parcel.carrier, parcel.status, parcel.location, parcel.timestamp),
    )
    if parcel.status == "delivered":
        await send_mail("shipping", parcel.order_id, f"Delivered: {parcel.tracking_number}")


@broker.subscriber("peer.refund", group_id="peer", auto_offset_reset="earliest")
async def on_refund(refund: Refund) -> None:
    await pool.execute(
        """INSERT INTO peer_refunds (order_id, refund_id, amount, reason, status, processed_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, processed_at = excluded.processed_at""",
        *(refund.order_id, refund.refund_id, refund.amount, refund.reason, refund.status, refund.processed_at),
    )
    if refund.status == "completed":
        await send_mail("refund", refund.order_id, f"Refunded: {refund.amount:,} KRW")


async def send_mail(kind: str, order_id: str, subject: str) -> None:
    order = await pool.fetchrow("SELECT email, name, link FROM peer_orders WHERE order_id = $1", order_id)
    if order is None:
        return
    mail = EmailMessage()
    mail["From"] = "shop@example.test"
    mail["To"] = order["email"]
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{kind}.{order_id}@example.test>"
    values = {"subject": subject, "name": order["name"], "link": order["link"], "order_id": order_id}
    mail.set_content(templates.get_template("mail.txt").render(values))
    mail.add_alternative(templates.get_template("mail.html").render(values), subtype="html")
    await aiosmtplib.send(mail, hostname=smtp.hostname, port=smtp.port)


if __name__ == "__main__":
    uvloop.run(app.run())
