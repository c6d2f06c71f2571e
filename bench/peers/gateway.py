"""FastAPI + aiokafka: checks the signature, appends to Kafka with acks=all, and answers after the acknowledgement.

Run by bench/peers/fastapi_gateway.py in a virtual environment of its own: `python -m uvicorn gateway:app`.
"""

import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, HTTPException, Request

SECRET = os.environ["WEBHOOK_SECRET"].encode()
KINDS = ("order", "payment", "shipping", "refund")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True) as producer:
        app.state.producer = producer
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/webhooks/{kind}")
async def accept(kind: str, request: Request) -> dict[str, str]:
    if kind not in KINDS:
        raise HTTPException(404)
    body = await request.body()
    signature = hmac.new(SECRET, body, "sha256").hexdigest()
    if not hmac.compare_digest(signature, request.headers.get("x-webhook-signature", "")):
        raise HTTPException(401)
    order_id = json.loads(body)["orderId"]
    await request.app.state.producer.send_and_wait(f"peer.{kind}", body, key=order_id.encode())
    return {"status": "success"}
