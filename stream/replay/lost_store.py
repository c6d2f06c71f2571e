"""Replaces a lost store, whose inbox is missing or empty, by one that was rebuilt beside it."""

from sqlalchemy import Connection, Engine

from stream.replay import schema
from stream.replay.schema import quoted
from stream.replay.spec import ReplayImpossible

HANDLED = "SELECT EXISTS (SELECT FROM {}.inbox)"
# A worker that survived the loss may have epochs and outbox ids of the lost store: none may be used again.
START_OUTBOX_IDS = "SELECT setval(pg_get_serial_sequence('outbox', 'id'), extract(epoch FROM now())::bigint * 1000)"
START_EPOCHS = """
INSERT INTO ownership (topic, partition, epoch, next_offset)
SELECT topic, partition, (extract(epoch FROM now()) * 1000)::bigint, next_offset
  FROM replay_progress WHERE purpose = 'source'
ON CONFLICT (topic, partition) DO UPDATE SET epoch = excluded.epoch, next_offset = excluded.next_offset
"""


def is_lost(tx: Connection, name: str) -> bool:
    """Return whether the store in the schema `name` is lost: its inbox is missing or empty."""
    return "inbox" not in schema.tables(tx, name) or not tx.exec_driver_sql(HANDLED.format(quoted(name))).scalar()


def replace_lost(live: Engine, name: str, rebuilt: str) -> None:
    """Drop the lost schema `name`, and give its name to the schema `rebuilt`, in one transaction.

    Epochs and outbox ids of the new store are higher than all that workers may know. Raises ReplayImpossible, and
    changes nothing, when the schema `name` is no longer lost.
    """
    with live.begin() as tx:
        tables = [f"{quoted(name)}.{quoted(table)}" for table in schema.tables(tx, name)]
        if tables:
            tx.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        if not is_lost(tx, name):
            raise ReplayImpossible(f"the schema {name} is no longer empty; nothing was replaced")
        tx.exec_driver_sql(f"SET LOCAL search_path = {quoted(rebuilt)}")
        tx.exec_driver_sql(START_OUTBOX_IDS)
        tx.exec_driver_sql(START_EPOCHS)
        tx.exec_driver_sql(f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE")
        tx.exec_driver_sql(f"ALTER SCHEMA {quoted(rebuilt)} RENAME TO {quoted(name)}")
