"""The evidence about an order: complete, redacted unless decided otherwise, and checkable with standard tools."""

import hashlib
import json
import shutil
import subprocess
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evidence import bundle
from tests.actors import Console, Shop, new_order
from tests.failing import hookstream


@pytest.fixture
def order(shop: Shop, console: Console) -> str:
    """An order with a slash in its id that was paid, forged once, scanned and mailed."""
    order = f"2026/{new_order()}"
    shop.post(
        "order", {"orderId": order, "customerEmail": "kim@example.test", "customerName": "김민지", "amount": 58000}
    )
    paid = {
        "orderId": order,
        "status": "completed",
        "amount": 58000,
        "cardNumber": "4111 1111 1111 1111",
        "note": "tel 010-1234-5678",
    }
    shop.post("payment", paid)
    shop.post("payment", paid, X_Webhook_Signature="0" * 64)
    number = str(uuid.uuid4().int)[:12]  # of no other order
    parcel = {"carrier": "CJ대한통운", "trackingNumber": number, "location": "서울"}
    shop.post("shipping", {"orderId": order, "status": "delivered", **parcel})
    path = f"/api/orders/{order.replace('/', '%2F')}"
    console.wait_for(path, lambda life: len(life["mails"]) == 2)
    console.wait_for("/api/refusals", lambda page: page["refusals"], order=order)
    return order


def made(system: dict[str, str], order: str, folder: Path, *options: str) -> tuple[Path, str]:
    """The unpacked folder, and the digest of the manifest that the command printed."""
    file = folder / "evidence.zip"
    printed = hookstream(system, "evidence", order, "--output", str(file), *options)
    assert printed.returncode == 0, printed.stderr
    assert file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    (digest,) = [line.split()[-1] for line in printed.stdout.splitlines() if line.startswith("sha256 of MANIFEST.json")]
    return folder / bundle.safe_name(order), digest


def entries(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(folder.glob(f"entries/*-{kind}.json"))]


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """What README.txt says to do, done to the letter by a shell."""
    text = (folder / "README.txt").read_text()
    script = text[text.index("  previous=") : text.index("The last digest must")]
    return subprocess.run(
        [shutil.which("sh") or "sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )


def sums_are_right(folder: Path) -> bool:
    """Whether sha256sum finds every file of SHA256SUMS unchanged."""
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)  # noqa: S607
    return checked.returncode == 0


def test_a_bank_gets_what_it_needs_and_no_personal_data(system: dict[str, str], order: str, tmp_path: Path) -> None:
    folder, digest = made(system, order, tmp_path)

    everything = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file()).decode()
    assert not any(
        secret in everything
        for secret in ("kim@example.test", "김민지", "4111 1111", "1234-5678", system["WEBHOOK_SECRET"])
    )
    assert hashlib.sha256((folder / "MANIFEST.json").read_bytes()).hexdigest() == digest
    received = entries(folder, "received")
    assert {entry["verification"]["now"] for entry in received} == {"verified"}
    assert all(entry["record"]["offset"] >= 0 for entry in (*received, *entries(folder, "published")))
    assert [entry["scan"]["location"] for entry in received if entry["scan"]] == ["서울"]
    assert [entry["refusal"]["cause"] for entry in entries(folder, "refused")] == ["invalid_signature"]
    assert {entry["state"]["status"] for entry in entries(folder, "mail")} == {"sent"}
    assert all(entry["mail"]["messageId"] for entry in entries(folder, "mail"))
    page = (folder / "index.html").read_text()
    assert all(
        text in page
        for text in (order, "verified", "서울", "PaymentCompleted", received[0]["request"]["body"]["sha256"])
    )


def test_what_was_changed_is_found_with_a_shell(system: dict[str, str], order: str, tmp_path: Path) -> None:
    folder, _ = made(system, order, tmp_path)
    head = json.loads((folder / "MANIFEST.json").read_text())["head"]

    whole, sums = check(folder), sums_are_right(folder)
    target = sorted(folder.glob("entries/*-received.json"))[1]
    target.write_text(target.read_text().replace("58000", "58001"))
    changed = check(folder)

    assert (whole.returncode, whole.stdout.split()[-1]) == (0, head)
    assert sums
    assert not sums_are_right(folder)
    assert changed.stdout == f"CHANGED: entries/{target.name}\n"
    assert changed.returncode == 1


def test_bodies_are_included_by_decision_and_are_what_was_signed(
    system: dict[str, str], order: str, shop: Shop, tmp_path: Path
) -> None:
    undecided = hookstream(system, "evidence", order, "--output", str(tmp_path / "no.zip"), "--unredacted")
    folder, _ = made(
        system, order, tmp_path, "--unredacted", "--because", "the bank's request of 3 March, agreed by Lee"
    )

    assert (undecided.returncode, "--because" in undecided.stderr) == (1, True)
    assert json.loads((folder / "MANIFEST.json").read_text())["unredactedBecause"].startswith("the bank's request")
    for entry in entries(folder, "received"):
        body = (folder / "bodies" / f"{entry['number']:04}.bin").read_bytes()
        assert entry["request"]["headers"]["x-webhook-signature"] == shop.sign(body)
        assert entry["request"]["body"]["sha256"] == hashlib.sha256(body).hexdigest()
    assert check(folder).returncode == 0


def test_a_rotated_secret_is_said_and_a_file_is_never_replaced(
    system: dict[str, str], order: str, tmp_path: Path
) -> None:
    folder, _ = made({**system, "WEBHOOK_SECRET": "another-secret-of-today"}, order, tmp_path)

    again = hookstream(system, "evidence", order, "--output", str(tmp_path / "evidence.zip"))

    proofs = [entry["verification"] for entry in entries(folder, "received")]
    assert {proof["now"] for proof in proofs} == {"failed"}
    assert "rotated" in proofs[0]["detail"]
    assert (again.returncode, "exists" in again.stderr) == (1, True)


def test_all_orders_of_a_customer_are_one_zip_that_a_shell_checks(
    system: dict[str, str], shop: Shop, console: Console, tmp_path: Path
) -> None:
    customer, orders = f"{new_order().lower()}@example.test", [new_order(), f"2026/{new_order()}"]
    for order in orders:
        shop.post("order", {"orderId": order, "customerEmail": customer, "customerName": "김민지", "amount": 58000})
        shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})
    shop.post("order", {"orderId": new_order(), "customerEmail": "lee@example.test", "sellerEmail": customer})
    for order in orders:
        console.wait_for(f"/api/orders/{order.replace('/', '%2F')}", lambda life: life["mails"])
    file = tmp_path / "customer.zip"

    printed = hookstream(system, "evidence", "--customer", customer, "--output", str(file))
    nobody = hookstream(system, "evidence", "--customer", "nobody@example.test")
    both = hookstream(system, "evidence", orders[0], "--customer", customer)

    assert printed.returncode == 0, printed.stderr
    assert "2 orders" in printed.stdout
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.glob("evidence-customer-*")
    everything = b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file()).decode()
    assert not any(secret in everything for secret in (customer, "김민지"))
    assert sums_are_right(folder)
    for order in orders:
        assert check(folder / bundle.safe_name(order)).returncode == 0
        assert sums_are_right(folder / bundle.safe_name(order))
        assert f"{bundle.safe_name(order)}/index.html" in (folder / "index.html").read_text()
    assert (nobody.returncode, "has no order of a customer" in nobody.stderr) == (1, True)
    assert (both.returncode, "Pass an order, or --customer" in both.stderr) == (1, True)
