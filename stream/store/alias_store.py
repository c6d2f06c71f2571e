"""References at rest: the table that a service keeps of them, and its SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from stream.state.aliases import Alias, AliasKey
from stream.store.bulk_sql import write

INSERT = """
INSERT INTO "references" (provider, reference)
SELECT * FROM unnest(%(providers)b::text[], %(names)b::text[]) ON CONFLICT DO NOTHING
"""

# In the order of the key, as everybody locks them, and before any order.
LOCK = """
SELECT provider, reference, order_id, orphan::text
  FROM "references" JOIN unnest(%(providers)b::text[], %(names)b::text[]) AS named (provider, reference)
 USING (provider, reference) ORDER BY provider, reference FOR UPDATE OF "references"
"""

SAVE = """
UPDATE "references" SET order_id = saved.order_id, orphan = saved.orphan::json,
                        waiting_since = CASE WHEN saved.orphan IS NULL THEN NULL ELSE coalesce(waiting_since, now()) END
  FROM unnest(%(providers)b::text[], %(names)b::text[], %(ids)b::text[], %(orphans)b::text[])
       AS saved (provider, reference, order_id, orphan)
 WHERE "references".provider = saved.provider AND "references".reference = saved.reference
"""


def lock(tx: Connection, names: Sequence[AliasKey], kind: Any) -> dict[AliasKey, Alias[Any]]:
    """What these names stand for, each kept from others until the transaction ends.

    `names` must be sorted; `kind` is the type of what is told under one, such as `Referred[Payment]`.
    """
    if not names:
        return {}
    columns = {"providers": [provider for provider, _ in names], "names": [name for _, name in names]}
    tx.exec_driver_sql(INSERT, columns)
    return {
        (provider, name): msgspec.json.decode(orphan, type=kind) if orphan else Alias(order_id)
        for provider, name, order_id, orphan in tx.exec_driver_sql(LOCK, columns)
    }


def save(tx: Connection, names: Mapping[AliasKey, Alias[Any]]) -> None:
    """Write what these names stand for now: an order, or what waits for one."""
    rows = [
        (*name, after.order_id, None if after.order_id else msgspec.json.encode(after).decode())
        for name, after in names.items()
    ]
    write(tx, SAVE, "providers names ids orphans", rows)
