"""Writes a golden record for each registered schema version that has none yet: `python -m tests.golden.make`.

Golden records are committed and never changed, so that a test shows that old records can still be read.
"""

import random
from io import BytesIO
from pathlib import Path

import fastavro
from fastavro.utils import generate_one

from stream.avro.registry import CommittedRegistry

HERE = Path(__file__).parent


def main() -> None:
    """Write the missing golden records."""
    for entry in CommittedRegistry().entries:
        path = HERE / f"{entry['subject']}.v{entry['version']}.avro"
        if not path.exists():
            path.write_bytes(_record(entry["id"], entry["schema"]))


def _record(schema_id: int, schema: dict[str, object]) -> bytes:
    """Return a generated record of this schema, without the enum symbol `unknown`; always the same one for an id."""
    random.seed(schema_id)
    parsed = fastavro.parse_schema(schema)
    while True:
        value = generate_one(parsed)
        if "unknown" not in repr(value):
            break
    out = BytesIO(b"\x00" + schema_id.to_bytes(4, "big"))
    out.seek(5)
    fastavro.schemaless_writer(out, parsed, value)
    return out.getvalue()


if __name__ == "__main__":
    main()
