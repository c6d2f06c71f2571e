"""Count webhooks by hour and by day, with triggers in the transaction that changes a webhook.

Triggers see every change, including a replay's COPY, the clean-up's deletions, and writes of a console of the previous
version that still runs during a deployment. So the counts are exact for every writer.
"""

from alembic import op

revision = "console_0004"
down_revision = "console_0003"

# `span` and `start` are microseconds. `is_event` is false for a webhook that becomes another row once it is processed.
COUNTS = """
CREATE TABLE webhook_counts (
    span       bigint  NOT NULL,
    start      bigint  NOT NULL,
    provider   text    NOT NULL,
    type       text    NOT NULL,
    event_type text    NOT NULL,
    status     text    NOT NULL,
    is_event   boolean NOT NULL,
    count      bigint  NOT NULL,
    PRIMARY KEY (span, start, provider, type, event_type, status, is_event)
) WITH (fillfactor = 50)
"""

# The changes of the running transaction; the table is empty after each commit. Counts are shared, so two transactions
# that changed them in different orders would deadlock: each changes them once, sorted, at the end of the transaction.
CHANGES = "CREATE TABLE webhook_count_changes (changes webhook_counts[] NOT NULL)"

# The schema is named because the session's search path may differ: a replay writes its webhooks in a schema of its own,
# and deleting from a retired schema must not change the live counts.
NOTE = """
CREATE OR REPLACE FUNCTION note_count_changes() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
    columns CONSTANT text := 'received_at, provider, type, event_type, status, kind';
    changed text;
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            IF NOT EXISTS (SELECT FROM new_rows WHERE received_at IS NOT NULL) THEN RETURN NULL; END IF;
            changed := format('SELECT 1 AS change, %1$s FROM new_rows', columns);
        WHEN 'DELETE' THEN
            changed := format('SELECT -1 AS change, %1$s FROM old_rows', columns);
        ELSE
            IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
            changed := format('SELECT 1 AS change, %1$s FROM new_rows UNION ALL SELECT -1, %1$s FROM old_rows', columns);
    END CASE;
    EXECUTE format($sql$
        INSERT INTO %1$I.webhook_count_changes (changes)
        SELECT array_agg(ROW(counted.*)::%1$I.webhook_counts) FROM (
            SELECT span, received_at - mod(mod(received_at, span) + span, span), coalesce(provider, 'unknown'),
                   coalesce(type, 'UNKNOWN'), coalesce(event_type, ''), status,
                   coalesce(kind, '') NOT IN ('unconfirmed', 'quarantine', 'unverified'), sum(change)::bigint
              FROM (%2$s) AS changed CROSS JOIN (VALUES (3600000000), (86400000000)) AS spans (span)
             WHERE received_at IS NOT NULL
             GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(change) <> 0) AS counted
        HAVING count(*) > 0
    $sql$, TG_TABLE_SCHEMA, changed);
    RETURN NULL;
END
$function$
"""
APPLY = """
CREATE OR REPLACE FUNCTION apply_count_changes() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE format($sql$
        WITH noted AS (DELETE FROM %1$I.webhook_count_changes RETURNING changes)
        INSERT INTO %1$I.webhook_counts AS kept (span, start, provider, type, event_type, status, is_event, count)
        SELECT span, start, provider, type, event_type, status, is_event, sum(count)
          FROM noted CROSS JOIN unnest(changes)
         GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(count) <> 0
         ORDER BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (span, start, provider, type, event_type, status, is_event)
        DO UPDATE SET count = kept.count + excluded.count
    $sql$, TG_TABLE_SCHEMA);
    RETURN NULL;
END
$function$
"""
NOTED = "FOR EACH STATEMENT EXECUTE FUNCTION note_count_changes()"
TRIGGERS = (
    f"CREATE TRIGGER note_inserted AFTER INSERT ON webhooks REFERENCING NEW TABLE AS new_rows {NOTED}",
    f"CREATE TRIGGER note_updated AFTER UPDATE ON webhooks REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows {NOTED}",
    f"CREATE TRIGGER note_deleted AFTER DELETE ON webhooks REFERENCING OLD TABLE AS old_rows {NOTED}",
    """
    CREATE CONSTRAINT TRIGGER apply_noted AFTER INSERT ON webhook_count_changes DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION apply_count_changes()
    """,
)
COUNT = """
INSERT INTO webhook_counts (span, start, provider, type, event_type, status, is_event, count)
SELECT span, received_at - mod(mod(received_at, span) + span, span), coalesce(provider, 'unknown'),
       coalesce(type, 'UNKNOWN'), coalesce(event_type, ''), status,
       coalesce(kind, '') NOT IN ('unconfirmed', 'quarantine', 'unverified'), count(*)
  FROM webhooks CROSS JOIN (VALUES (3600000000), (86400000000)) AS spans (span)
 WHERE received_at IS NOT NULL
 GROUP BY 1, 2, 3, 4, 5, 6, 7
"""

# These are columns because Postgres updates every index of a row when a column in an index's condition changes, and
# `status` changes for nearly every webhook. These two change for few.
COLUMNS = """
ALTER TABLE webhooks
    ADD COLUMN unsuccessful text GENERATED ALWAYS AS
        (CASE WHEN status IN ('FAILED', 'RETRYING', 'ABANDONED') THEN status END) STORED,
    ADD COLUMN abandoned_at bigint GENERATED ALWAYS AS (CASE WHEN status = 'ABANDONED' THEN settled_at END) STORED
"""


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute("LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE")  # nothing changes between counting and the triggers
    op.execute(COLUMNS)
    op.execute("DROP INDEX webhooks_abandoned")
    op.execute("CREATE INDEX webhooks_abandoned ON webhooks (abandoned_at) WHERE abandoned_at IS NOT NULL")
    op.execute(
        "CREATE INDEX webhooks_unsuccessful ON webhooks (unsuccessful, received_at, webhook_id)"
        " WHERE unsuccessful IS NOT NULL"
    )
    for statement in (COUNTS, COUNT, CHANGES, NOTE, APPLY, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    for name in ("note_inserted", "note_updated", "note_deleted"):
        op.execute(f"DROP TRIGGER {name} ON webhooks")
    op.execute("DROP TABLE webhook_count_changes, webhook_counts")
    op.execute("DROP FUNCTION note_count_changes, apply_count_changes")
    op.execute("DROP INDEX webhooks_abandoned, webhooks_unsuccessful")
    op.execute("ALTER TABLE webhooks DROP COLUMN unsuccessful, DROP COLUMN abandoned_at")
    op.execute("CREATE INDEX webhooks_abandoned ON webhooks (settled_at) WHERE status = 'ABANDONED'")
