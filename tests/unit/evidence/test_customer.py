"""The zip about a customer: a folder for each order, a page that leads to each, and digests that a shell checks."""

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from evidence import archive, bundle, customer_page
from evidence.archive import OrderEvidence, Terms, TooLarge
from evidence.collection import Sources, UnknownOrder, collect
from tests.log import CODEC

TERMS = Terms(None, "test", lambda _: ())
LIFE: dict[str, Any] = {
    "webhooks": [{"receivedAt": "2026-02-03T00:00:00Z"}, {"receivedAt": "2026-01-03T00:00:00Z"}],
    "state": {"payment_status": "completed", "paid_amount": 1050, "refund_status": None},
    "currency": "USD",
}


def evidence_of(order: str) -> OrderEvidence:
    files = {"index.html": b"<p>" + order.encode() + b"</p>", "MANIFEST.json": b"{}"}
    return OrderEvidence(order, bundle.safe_name(order), files, 3, LIFE, [f"one mail of {order} is missing"])


def written(folder: Path, *orders: str, max_bytes: int | None = None) -> tuple[Path, archive.Written]:
    file = io.BytesIO()
    result = archive.write_customer(file, "k***@example.test", orders, evidence_of, TERMS, [], max_bytes)
    with zipfile.ZipFile(file) as zipped:
        zipped.extractall(folder)
    return folder / bundle.customer_name("k***@example.test"), result


def test_a_page_leads_to_each_order_and_says_what_is_missing(tmp_path: Path) -> None:
    folder, result = written(tmp_path, "A-1", "2026/<7>")

    page = (folder / "index.html").read_text()
    assert 'href="evidence-A-1/index.html">A-1</a>' in page
    assert "2026/&lt;7&gt;" in page
    assert page.index("2026-01-03") < page.index("2026-02-03")
    assert "10.50 USD" in page
    assert (folder / bundle.safe_name("2026/<7>") / "index.html").exists()
    assert list(result.notes) == [f"order {order}: one mail of {order} is missing" for order in ("A-1", "2026/<7>")]
    assert result.size == 6


def test_a_changed_file_is_found_with_a_shell(tmp_path: Path) -> None:
    folder, _ = written(tmp_path, "A-1", "A-2")
    check = [shutil.which("sh") or "sh", "-c", "sha256sum -c SHA256SUMS"]

    whole = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    (folder / "evidence-A-2" / "MANIFEST.json").write_text('{"changed": true}')
    changed = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)

    assert (whole.returncode, whole.stdout.count(": OK")) == (0, 3)
    assert (changed.returncode, "evidence-A-2/MANIFEST.json: FAILED" in changed.stdout) == (1, True)
    assert json.loads((folder / "MANIFEST.json").read_text())["orders"] == ["A-1", "A-2"]


def test_a_zip_does_not_grow_beyond_its_limit(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        written(tmp_path, *(f"A-{number}" for number in range(9)), max_bytes=100)


def test_an_order_without_a_state_has_a_line_of_its_own() -> None:
    line = customer_page.line("A-1", "evidence-A-1", 0, {"webhooks": [], "state": None})

    assert (line.first_at, line.last_at, line.state) == ("", "", {})


def test_an_unknown_order_is_no_evidence() -> None:
    sources = Sources(lambda _: None, lambda *_: {}, lambda _: [], lambda *_: {}, CODEC)

    with pytest.raises(UnknownOrder):
        collect(sources, "nobody's")
