"""Puts the entries into the files of a zip, with a chain of digests over entries, bodies and page. Pure.

Each line of CHAIN has a file's name and a digest: the SHA-256 of the digest before, a line feed and the file's bytes. A
changed, removed, added or reordered file changes the last digest.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence

from evidence import customer_page, page
from evidence.entries import EvidenceEntry
from runtime.json_value import JsonValue

START = "0" * 64
"""The digest before the first."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip, so that the same entries make the same zip; the earliest that zips have."""
CHECK = """\
previous={start}
while read -r digest file; do
  actual=$({{ printf '%s\\n' "$previous"; cat "$file"; }} | sha256sum | cut -d' ' -f1)
  [ "$actual" = "$digest" ] || {{ echo "CHANGED: $file"; exit 1; }}
  previous=$digest
done < CHAIN && echo "unchanged; the last digest is $previous"
"""
README = """\
Evidence about order {order}

index.html       the page to read and to print
entries/         one JSON file for each thing that happened, in order
bodies/          the bodies of the webhooks, byte for byte{bodies}
CHAIN            a chain of SHA-256 digests over all files above
SHA256SUMS       the digest of each of these files, and of CHAIN
MANIFEST.json    who made this, when, of what, the last digest of the chain, and the digests of all other files

Check each file, in the unpacked folder:  sha256sum -c SHA256SUMS  must say OK for every line.

Check that none was removed, added or reordered either, with any POSIX shell (sha256sum is part of coreutils):

{check}
The last digest must be the one in MANIFEST.json, and the one that you were told when this was made:

  {head}

Check the manifest itself:  sha256sum MANIFEST.json  must print the digest that you were told.

Check a body:  sha256sum bodies/0001.bin  must print request.body.sha256 of entries/0001-received.json. With the secret
of the sender, its signature can be checked by the sender's own documentation: request.headers has what it signed.
"""

CUSTOMER_README = """\
Evidence about the orders of {customer}

index.html       the page to read and to print; it leads to the page of each order
evidence-…/      one folder for each order, with a README.txt of its own
SHA256SUMS       the digests of each order's MANIFEST.json and of the page
MANIFEST.json    who made this, when, of what, and the digests of the files beside it

Check the manifest:  sha256sum MANIFEST.json  must print the digest that you were told when this was made.
Check the rest:      sha256sum SHA256SUMS     must print files.SHA256SUMS.sha256 of MANIFEST.json, then
                     sha256sum -c SHA256SUMS  must say OK for every line; then check each folder as its README.txt says.
"""


def files(
    order: str,
    entries: Sequence[EvidenceEntry],
    about: Mapping[str, JsonValue],
    summary: page.Summary,
    *,
    with_bodies: bool,
) -> dict[str, bytes]:
    """Return the bytes of the zip's files by name, the manifest last.

    `about` are the fields of the manifest that say how the zip was made. Without `with_bodies` the bodies of requests
    are left out.
    """
    found: dict[str, bytes] = {}
    for number, entry in enumerate(entries, 1):
        content = {"number": number, "at": entry.at, "kind": entry.kind, "what": entry.what, **entry.content}
        found[f"entries/{number:04}-{entry.kind}.json"] = _json(content)
        if with_bodies and entry.raw is not None:
            found[f"bodies/{number:04}.bin"] = entry.raw
    found["index.html"] = page.render(order, entries, about, summary).encode()
    lines, head = chain(found)
    found["CHAIN"] = lines.encode()
    found["SHA256SUMS"] = _sums({name: _sha256(data) for name, data in found.items()})
    bodies = "" if with_bodies else " (not here: made without --unredacted)"
    check = "\n".join(f"  {line}" if line else "" for line in CHECK.format(start=START).split("\n"))
    found["README.txt"] = README.format(order=order, bodies=bodies, check=check, head=head).encode()
    digests = {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in found.items()}
    found["MANIFEST.json"] = _json({**about, "order": order, "entries": len(entries), "head": head, "files": digests})
    return found


def chain(found: Mapping[str, bytes]) -> tuple[str, str]:
    """Return the text of CHAIN for these files in their order, and its last digest: START without files."""
    previous, lines = START, []
    for name, data in found.items():
        previous = hashlib.sha256(f"{previous}\n".encode() + data).hexdigest()
        lines.append(f"{previous}  {name}\n")
    return "".join(lines), previous


def add(archive: zipfile.ZipFile, folder: str, found: Mapping[str, bytes]) -> None:
    """Add files, given by their names, to a zip, in a folder named `folder`.

    All have the time EPOCH, so that the same files always make the same zip.
    """
    for name, data in found.items():
        archive.writestr(zipfile.ZipInfo(f"{folder}/{name}", EPOCH), data, zipfile.ZIP_DEFLATED)


def customer_files(
    customer: str,
    lines: Sequence[customer_page.Line],
    about: Mapping[str, JsonValue],
    notes: Sequence[str],
    digests: Mapping[str, str],
) -> dict[str, bytes]:
    """Return the files beside the folders of a customer's orders, the manifest last.

    `digests` are the SHA-256 of each order's manifest by its path, `notes` say what is left out.
    """
    found = {"index.html": customer_page.render(customer, lines, about, notes).encode()}
    sums = {**digests, "index.html": _sha256(found["index.html"])}
    found["SHA256SUMS"] = _sums(sums)
    found["README.txt"] = CUSTOMER_README.format(customer=customer).encode()
    hashes = {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in found.items()}
    manifest = {**about, "customer": customer, "orders": [line.order for line in lines], "files": hashes}
    found["MANIFEST.json"] = _json(manifest)
    return found


def customer_name(customer: str) -> str:
    """Return the name of a customer's zip, without `.zip`: a hash, because an address has no place in a file name."""
    return f"evidence-customer-{hashlib.sha256(customer.encode()).hexdigest()[:12]}"


def safe_name(order: str) -> str:
    """Return the name of an order's zip, without `.zip`: ASCII letters, digits, hyphens and underscores.

    A hash of the id is appended where the id has other characters or is longer than MAX_NAME, so that names differ.
    """
    plain = "".join(
        character if character.isascii() and (character.isalnum() or character in "-_") else "_" for character in order
    )
    suffix = "" if plain == order and len(plain) <= MAX_NAME else f"-{hashlib.sha256(order.encode()).hexdigest()[:8]}"
    return f"evidence-{plain[:MAX_NAME]}{suffix}"


MAX_NAME = 80


def _sums(digests: Mapping[str, str]) -> bytes:
    """Return a file for `sha256sum -c` with these digests by the names of their files."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(value: JsonValue) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
