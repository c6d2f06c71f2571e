"""Writes the zips: of one order, or a folder for each order of a customer with a page and digests over all of them.

One order is in memory at a time.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from evidence import bundle, collection, customer_page, entries
from evidence.collection import Fields, Sources
from evidence.page import AMOUNTS, Summary, money
from evidence.redaction import without_personal_data
from evidence.reverification import SecretsOf
from runtime import __version__, clock
from runtime.json_value import JsonValue

MASKED = "Personal data, card numbers and secrets are masked; the bodies are named by their digests."
WHOLE = "Nothing is masked: it holds personal data, and the bodies byte for byte."

MAX_REASON_CHARS = 200
"""The longest reason to include personal data, without the name of the person."""


class TooLarge(Exception):
    """The files of a zip would have more bytes than allowed; the text says how many are allowed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The choices for a zip: the reason to include personal data and bodies (None: masked), the mode, the secrets."""

    because: str | None
    mode: str
    secrets_of: SecretsOf

    def about(self) -> dict[str, JsonValue]:
        """Return the fields of a manifest that say how and when it was made."""
        made = clock.now() // 1_000_000 * 1_000_000
        return {
            "madeAt": clock.micros_text(made),
            "version": __version__,
            "mode": self.mode,
            "redaction": WHOLE if self.because else MASKED,
            "unredactedBecause": self.because,
        }


class OrderEvidence(NamedTuple):
    """The evidence about one order: its files by name, number of entries (`size`), and notes on missing parts."""

    order: str
    folder: str
    files: Mapping[str, bytes]
    size: int
    life: Fields
    notes: Sequence[str]


class Written(NamedTuple):
    """A written zip: the SHA-256 of its MANIFEST.json, its number of entries (`size`), and notes on missing parts."""

    digest: str
    size: int
    notes: Sequence[str]


def of_order(sources: Sources, order: str, terms: Terms) -> OrderEvidence:
    """Collect an order and return its evidence.

    Raises UnknownOrder, and what the sources and `terms.secrets_of` raise.
    """
    collected = collection.collect(sources, order)
    show = entries.unmasked if terms.because else without_personal_data
    found = entries.build(collected, terms.secrets_of, show=show)
    summary = Summary(_state(collected.life), collected.notes)
    files = bundle.files(order, found, terms.about(), summary, with_bodies=bool(terms.because))
    return OrderEvidence(order, bundle.safe_name(order), files, len(found), collected.life, collected.notes)


def write_order(file: BinaryIO, evidence: OrderEvidence) -> Written:
    """Write the zip of one order into `file`."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        bundle.add(archive, evidence.folder, evidence.files)
    return Written(_digest(evidence.files["MANIFEST.json"]), evidence.size, evidence.notes)


def write_customer(
    file: BinaryIO,
    customer: str,
    orders: Iterable[str],
    make: Callable[[str], OrderEvidence],
    terms: Terms,
    notes: Sequence[str],
    max_bytes: int | None = None,
) -> Written:
    """Write the zip of all orders of a customer into `file`; `make` returns the evidence about one of them.

    `customer` is the name of the customer as the zip may show it, `notes` say what is left out. Raises TooLarge when
    the files have more than `max_bytes` bytes, and what `make` raises.
    """
    top, about = bundle.customer_name(customer), terms.about()
    rows, digests, size = list[customer_page.Line](), dict[str, str](), 0
    missing = list(notes)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for evidence in map(make, orders):
            size += sum(map(len, evidence.files.values()))
            if max_bytes is not None and size > max_bytes:
                raise TooLarge(f"more than {max_bytes // 1_000_000} MB")
            bundle.add(archive, f"{top}/{evidence.folder}", evidence.files)
            digests[f"{evidence.folder}/MANIFEST.json"] = _digest(evidence.files["MANIFEST.json"])
            rows.append(customer_page.line(evidence.order, evidence.folder, evidence.size, evidence.life))
            missing += [f"order {evidence.order}: {note}" for note in evidence.notes]
        files = bundle.customer_files(customer, rows, about, missing, digests)
        bundle.add(archive, top, files)
    return Written(_digest(files["MANIFEST.json"]), sum(row.entries for row in rows), missing)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _state(life: Fields) -> list[tuple[str, str]]:
    """Return the columns of the order's state that are set; without a state, how many webhooks, events and mails."""
    state = life.get("state") or {}
    if not isinstance(state, dict) or not state:
        return [(name, str(len(life[name]))) for name in ("webhooks", "domain_events", "mails")]
    currency = life.get("currency")
    return [
        (name, money(value, currency) if name in AMOUNTS else str(value))
        for name, value in state.items()
        if value is not None and not isinstance(value, dict | list)
    ]
