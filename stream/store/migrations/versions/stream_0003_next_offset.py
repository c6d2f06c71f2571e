"""Add the next offset of each partition, and the offset up to which a restored store may see records again."""

from alembic import op

revision = "stream_0003"
down_revision = "stream_0002"

# For a store older than the column, such as one restored from an old dump, the offset is derived from its inbox.
UP = """
ALTER TABLE ownership ADD COLUMN next_offset bigint, ADD COLUMN rewound_until bigint;
ALTER TABLE ownership SET (fillfactor = 50);
UPDATE ownership SET next_offset = applied.next_offset
  FROM (SELECT topic, partition, max("offset") + 1 AS next_offset FROM inbox GROUP BY topic, partition) AS applied
 WHERE ownership.topic = applied.topic AND ownership.partition = applied.partition;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("ALTER TABLE ownership DROP COLUMN next_offset, DROP COLUMN rewound_until")
