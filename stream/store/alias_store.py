"""The table of aliases (`aliases`) and its SQL."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from sqlalchemy import Connection

from stream.state.aliases import Alias, AliasKey
from stream.store import statements
from stream.store.statements import BulkStatement, ColumnValues

S = TypeVar("S")

INSERT = """
INSERT INTO aliases (provider, alias)
SELECT * FROM unnest(%(providers)b::text[], %(names)b::text[]) ON CONFLICT DO NOTHING
"""

# Rows are locked in the order of the key, and before any order, so that transactions do not deadlock.
LOCK = """
SELECT provider, alias, order_id, pending::text
  FROM aliases JOIN unnest(%(providers)b::text[], %(names)b::text[]) AS named (provider, alias)
 USING (provider, alias) ORDER BY provider, alias FOR UPDATE OF aliases
"""

SAVE = BulkStatement(
    """
UPDATE aliases SET order_id = saved.order_id, pending = saved.pending::json,
                   waiting_since = CASE WHEN saved.pending IS NULL THEN NULL ELSE coalesce(waiting_since, now()) END
  FROM unnest(%(provider)b::text[], %(alias)b::text[], %(order_id)b::text[], %(pending)b::text[])
       AS saved (provider, alias, order_id, pending)
 WHERE aliases.provider = saved.provider AND aliases.alias = saved.alias
""",
    ("provider", "alias", "order_id", "pending"),
)


def lock(tx: Connection, keys: Collection[AliasKey], load: Callable[[str], Alias[S]]) -> dict[AliasKey, Alias[S]]:
    """Lock the rows of these aliases until the transaction ends, and return the aliases. Missing rows are inserted.

    `load` makes an alias of the JSON of its pending state.
    """
    if not keys:
        return {}
    in_order = sorted(keys)  # so that two transactions that insert the same aliases do not deadlock
    columns: ColumnValues = {
        "providers": [provider for provider, _ in in_order],
        "names": [name for _, name in in_order],
    }
    statements.execute(tx, INSERT, columns)
    return {
        (provider, name): load(pending) if pending else Alias(order_id)
        for provider, name, order_id, pending in statements.execute(tx, LOCK, columns)
    }


def save(tx: Connection, aliases: Mapping[AliasKey, Alias[S]], dump: Callable[[Alias[S]], str]) -> None:
    """Update the rows of these aliases, which `lock` has returned.

    `dump` returns the JSON of the pending state of an alias that is not mapped to an order.
    """
    columns: ColumnValues = {
        "provider": [provider for provider, _ in aliases],
        "alias": [name for _, name in aliases],
        "order_id": [alias.order_id for alias in aliases.values()],
        "pending": [None if alias.order_id else dump(alias) for alias in aliases.values()],
    }
    SAVE.execute_columns(tx, columns)
