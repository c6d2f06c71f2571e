"""What must not come in does not, whatever it looks like; who sent it is told why, and what it was is kept."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.http.refusals import CLOSING, STATUS
from stream.events import topics
from tests.actors import Shop, Store, new_order, until
from tests.e2e.bad_input import ACCEPTED, REFUSED, REQUEST, UNREADABLE, Row
from tests.log import reading
from tests.processes import pid
from tests.wire import Answer, Line

ALIVE = b"GET /health/live HTTP/1.1\r\nHost: shop.test\r\n\r\n"
KEPT_A_SECOND = 20


def by_name(row: Row) -> str:
    return row.name


def asked(line: Line, raw: bytes) -> Answer:
    line.send(raw)
    answer = line.answer(bodiless=raw.startswith(b"HEAD"))
    assert answer is not None
    return answer


@pytest.mark.parametrize("row", ACCEPTED, ids=by_name)
def test_what_is_unusual_but_clear_is_accepted(row: Row, system: dict[str, str], payments: Store) -> None:
    order = new_order()

    with Line(system["GATEWAY_URL"]) as line:
        answer = asked(line, row.as_bytes(order, system["WEBHOOK_SECRET"]))

    assert (answer.status, json.loads(answer.body)) == (200, {"status": "success"})
    paid = json.loads(row.body_of(order).decode("utf-8-sig"))["orderId"]
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", paid)


@pytest.mark.parametrize("row", [*REFUSED, *UNREADABLE], ids=by_name)
def test_what_must_not_come_in_is_refused_for_its_cause(row: Row, system: dict[str, str]) -> None:
    with Line(system["GATEWAY_URL"]) as line:
        answer = asked(line, row.as_bytes(new_order(), system["WEBHOOK_SECRET"]))

        assert answer.status == row.status
        assert answer.headers.get("allow") == ("POST" if row.status == 405 else None)
        if row.cause is None:
            assert (answer.body, line.is_closed()) == (b"", True)
        else:
            assert answer.headers["content-type"] == "application/json"
            assert row.name == "B72 HEAD" or is_said(answer, row.cause)
            assert line.is_closed() if row.cause in CLOSING else asked(line, ALIVE).status == 200


def is_said(answer: Answer, cause: str) -> bool:
    said = json.loads(answer.body)
    return said.keys() == {"error", "message"} and said["error"] == cause in STATUS and 0 < len(said["message"]) < 500


def test_nothing_of_it_becomes_an_event_or_a_row_but_its_cause_and_its_bytes_are_kept(
    system: dict[str, str], shop: Shop, payments: Store
) -> None:
    orders = {row: new_order() for row in (*REFUSED, *UNREADABLE)}
    good = new_order()
    with ExitStack() as stack:
        stored = (topics.REFUSALS, topics.QUARANTINE, topics.PAYMENT_WEBHOOKS, topics.ORDERS)
        rejected, quarantine, paid, ordered = [stack.enter_context(reading(system, topic)) for topic in stored]

        for row, order in orders.items():
            with Line(system["GATEWAY_URL"]) as line:
                asked(line, row.as_bytes(order, system["WEBHOOK_SECRET"]))
            time.sleep(1 / KEPT_A_SECOND)  # more refusals than that are not kept
        shop.post("order", {"orderId": good, "customerId": 1})
        shop.post("payment", {"orderId": good, "status": "completed"})

        causes = Counter(row.cause for row in orders if row.cause)
        until(rejected.read, lambda records: len(records) >= causes.total())
        assert Counter(record.cause for record in rejected.read()) == causes
        aside = {(record.cause, record.raw) for record in quarantine.read()}
        proved = [*UNREADABLE, *(row for row in REFUSED if row.cause == "unsupported_media_type")]
        assert aside == {(row.cause, row.body_of(orders[row])) for row in proved}
        paid.wait_for(lambda record: record.payload.order_id == good)
        assert [record.payload.order_id for record in (*paid.records, *ordered.read())] == [good, good]
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", good)
    assert not payments.rows("SELECT 1 FROM payments WHERE order_id = ANY(%s)", list(orders.values()))


def test_b02_the_same_webhook_again_is_answered_like_the_first(system: dict[str, str]) -> None:
    raw = ACCEPTED[0].as_bytes(new_order(), system["WEBHOOK_SECRET"])

    with Line(system["GATEWAY_URL"]) as line:
        answers = [asked(line, raw) for _ in range(3)]

    assert {(answer.status, answer.body) for answer in answers} == {(200, b'{"status":"success"}')}


@pytest.mark.parametrize("behind", [b"extra", None], ids=["bytes", "a request"])
def test_b69_what_comes_behind_a_webhook_does_not_touch_it(behind: bytes | None, system: dict[str, str]) -> None:
    first, second = (ACCEPTED[0].as_bytes(new_order(), system["WEBHOOK_SECRET"]) for _ in range(2))

    with Line(system["GATEWAY_URL"]) as line:
        assert asked(line, first + (behind or second)).status == 200
        assert behind or asked(line, b"").status == 200


@pytest.mark.parametrize("name", ["B72 GET", "B76 an unknown provider", "B80 text", "B71 Expect: foo"])
def test_a_request_hidden_in_a_refused_body_is_not_served(name: str, system: dict[str, str]) -> None:
    (refused,) = [row for row in REFUSED if row.name == name]
    hidden = ACCEPTED[0].as_bytes(new_order(), system["WEBHOOK_SECRET"])
    hiding = Row(name, refused.status, refused.cause, refused.changes, hidden)

    with Line(system["GATEWAY_URL"]) as line:
        assert asked(line, hiding.as_bytes(new_order(), system["WEBHOOK_SECRET"])).status == refused.status
        assert asked(line, ALIVE).body == b'{"problems":[]}'


def test_b70_a_sender_that_asks_first_is_told_to_go_on(system: dict[str, str]) -> None:
    row = Row("B70", 200, None, ((b"Host:", b"Expect: 100-continue\r\nHost:"),))
    head, _, body = row.as_bytes(new_order(), system["WEBHOOK_SECRET"]).partition(b"\r\n\r\n")

    with Line(system["GATEWAY_URL"]) as line:
        assert asked(line, head + b"\r\n\r\n").status == 100
        assert asked(line, body).status == 200


def test_b73_options_are_answered_without_leave_for_other_origins(system: dict[str, str]) -> None:
    with Line(system["GATEWAY_URL"]) as line:
        answer = asked(line, b"OPTIONS /webhooks/payment HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.test\r\n\r\n")

    assert (answer.status, answer.body) == (204, b"")
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_b60_who_speaks_http_2_at_once_is_hung_up_on(system: dict[str, str]) -> None:
    with Line(system["GATEWAY_URL"]) as line:
        line.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

        assert line.answer() is None


def test_b63_an_endless_header_costs_no_memory(system: dict[str, str]) -> None:
    before = resident_mb(pid(system, "GATEWAY"))

    with Line(system["GATEWAY_URL"]) as line:
        for _ in range(200):
            line.send(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 1_000_000)

    assert resident_mb(pid(system, "GATEWAY")) < before + 20


def resident_mb(process: int) -> int:
    published = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(published["VmHWM"].split()[0]) // 1024


def test_b68_a_body_shorter_than_announced_is_malformed(system: dict[str, str]) -> None:
    with Line(system["GATEWAY_URL"]) as line:
        line.send(REQUEST.replace(b"LENGTH", b"100"))
        line.end_sending()
        answer = line.answer()

    assert answer is not None
    assert answer.status == 400
    assert is_said(answer, "malformed_request")


def test_who_dawdles_is_not_waited_for(system: dict[str, str]) -> None:
    def dawdle(first: bytes, then: bytes) -> tuple[int | None, float]:
        began = time.monotonic()
        with Line(system["GATEWAY_URL"]) as line, ThreadPoolExecutor(1) as dripping:
            line.send(first)
            dripping.submit(drip, line, then)
            answer = line.answer()
            return answer.status if answer else None, time.monotonic() - began

    def drip(line: Line, slowly: bytes) -> None:
        for letter in slowly:
            time.sleep(0.5)
            line.send(bytes([letter]))

    head = REQUEST.replace(b"LENGTH", b"100").removesuffix(b"BODY")
    rows = {
        "B65 nothing": (b"", b""),
        "B66 half a line": (b"POST /web", b""),
        "B66 headers": (b"POST / HTTP/1.1\r\nHost: a\r\nX-A: ", b"a" * 14),
        "B67 no body": (head, b""),
        "B67 a letter now and then": (head, b"{" * 10),
    }

    with ThreadPoolExecutor(len(rows)) as clients:
        became = dict(zip(rows, clients.map(lambda row: dawdle(*row), rows.values()), strict=True))

    assert {name: status for name, (status, _) in became.items()} == {
        "B65 nothing": None,
        "B66 half a line": None,
        "B66 headers": None,
        "B67 no body": 408,
        "B67 a letter now and then": 408,
    }
    assert all(2.9 < seconds < (4.5 if name.startswith("B67") else 8) for name, (_, seconds) in became.items()), became
