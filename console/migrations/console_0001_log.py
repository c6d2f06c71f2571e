"""Create the log: webhooks with their counts, outcomes, domain events, orders, mails, refusals, balances; people's work.

Webhooks are counted by hour and by day with triggers, in the transaction that changes a webhook. Triggers see every
change, including a replay's COPY, the clean-up's deletions, and writes of a console of the previous version that still
runs during a deployment. So the counts are exact for every writer.
"""

from alembic import op

revision = "console_0001"
down_revision = None
branch_labels = ("console",)

# Times are microseconds since 1970 UTC, as in the records, so that the clean-up depends only on the topics.
LOG = """
CREATE TABLE webhooks (
    webhook_id        uuid PRIMARY KEY,
    kind              text,
    provider          text,
    provider_event_id text,
    verification_request_id uuid,
    type              text,
    event_type        text,
    order_id          text,
    customer_id       text,
    verification      text,
    path              text,
    headers           json,
    payload           bytea,
    aside             text,
    confirmed_as      uuid,
    occurred_at       bigint,
    received_at       bigint,
    status            text   NOT NULL DEFAULT 'RECEIVED',
    retry_count       int    NOT NULL DEFAULT 0,
    last_retry_at     bigint,
    error             text,
    note              text,
    settled_at        bigint,
    created_at        timestamptz NOT NULL DEFAULT now(),
    aliases           text[] NOT NULL DEFAULT '{}',
    provider_ids      text[],
    -- Postgres updates every index of a row when a column in an index's condition changes, and `status` changes for
    -- nearly every webhook. These two change for few.
    unsuccessful      text GENERATED ALWAYS AS
        (CASE WHEN status IN ('FAILED', 'RETRYING', 'ABANDONED') THEN status END) STORED,
    abandoned_at      bigint GENERATED ALWAYS AS (CASE WHEN status = 'ABANDONED' THEN settled_at END) STORED,
    CHECK (status IN ('RECEIVED', 'PROCESSED', 'FAILED', 'RETRYING', 'ABANDONED'))
) WITH (fillfactor = 70);
CREATE INDEX webhooks_received ON webhooks (received_at, webhook_id);
CREATE INDEX webhooks_order ON webhooks (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX webhooks_provider_event ON webhooks (provider_event_id) WHERE provider_event_id IS NOT NULL;
CREATE INDEX webhooks_verification_request ON webhooks (verification_request_id)
 WHERE verification_request_id IS NOT NULL;
CREATE INDEX webhooks_abandoned ON webhooks (abandoned_at) WHERE abandoned_at IS NOT NULL;
CREATE INDEX webhooks_unsuccessful ON webhooks (unsuccessful, received_at, webhook_id) WHERE unsuccessful IS NOT NULL;
-- Few webhooks have one of these kinds. A page that shows them would read those of the other kinds too, from the heap.
CREATE INDEX webhooks_aside ON webhooks (kind, received_at) WHERE kind IN ('unconfirmed', 'quarantine', 'unverified');
CREATE INDEX webhooks_aliases ON webhooks USING gin (aliases);
CREATE INDEX webhooks_provider_ids ON webhooks USING gin (provider_ids);

CREATE TABLE outcomes (
    event_id    uuid   NOT NULL,
    service     text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    "offset"    bigint NOT NULL,
    outcome     text   NOT NULL,
    attempt     int    NOT NULL,
    error       text,
    at          bigint NOT NULL,
    PRIMARY KEY (event_id, service, at, topic, partition, "offset", outcome, attempt)
);

CREATE TABLE domain_events (
    event_id    uuid PRIMARY KEY,
    type        text   NOT NULL,
    order_id    text,
    customer_id text,
    caused_by   text   NOT NULL,
    occurred_at bigint,
    received_at bigint NOT NULL,
    body        json   NOT NULL
);
CREATE INDEX domain_events_order ON domain_events (order_id);
CREATE INDEX domain_events_cause ON domain_events (caused_by);

-- `start` is the first microsecond of a day of UTC, `amount` is in minor units of the currency.
CREATE TABLE daily_amounts (
    start    bigint NOT NULL,
    provider text   NOT NULL,
    type     text   NOT NULL,
    currency text   NOT NULL,
    amount   bigint NOT NULL,
    PRIMARY KEY (start, provider, type, currency)
) WITH (fillfactor = 50);

CREATE TABLE order_states (
    order_id text   PRIMARY KEY,
    version  bigint NOT NULL,
    state    json   NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE mails (
    notification_id uuid PRIMARY KEY,
    event_id        text   NOT NULL,
    event_type      text   NOT NULL,
    audience        text   NOT NULL,
    channel         text   NOT NULL,
    order_id        text,
    customer_id     text,
    locale          text   NOT NULL,
    message_id      text   NOT NULL,
    sent_at         bigint NOT NULL
);
CREATE INDEX mails_order ON mails (order_id);
CREATE INDEX mails_event ON mails (event_id);
CREATE INDEX mails_sent ON mails (sent_at);

CREATE TABLE refusals (
    refusal_id  uuid PRIMARY KEY,
    provider    text   NOT NULL,
    path        text   NOT NULL,
    cause       text   NOT NULL,
    headers     json   NOT NULL,
    digest      bytea  NOT NULL,
    excerpt     bytea  NOT NULL,
    received_at bigint NOT NULL,
    order_ids   text[] NOT NULL DEFAULT '{}',
    source      text,
    retired_secret text
);
-- A refusal's row has 2 KB of its body; what is counted is read from the index alone.
CREATE INDEX refusals_received ON refusals (received_at, refusal_id) INCLUDE (provider, cause, source, retired_secret);
CREATE INDEX refusals_orders ON refusals USING gin (order_ids);

CREATE TABLE refusal_counts (
    start    bigint NOT NULL,
    provider text   NOT NULL,
    cause    text   NOT NULL,
    count    bigint NOT NULL,
    PRIMARY KEY (start, provider, cause)
) WITH (fillfactor = 50);

-- The terms by which bodies are found. One index for each kind: a value of every webhook would otherwise be looked for
-- among all of them for refused requests.
CREATE TABLE search_terms (
    subject    uuid PRIMARY KEY,
    is_refusal boolean NOT NULL,
    terms      int[]   NOT NULL
);
CREATE INDEX search_terms_webhooks ON search_terms USING gin (terms) WHERE NOT is_refusal;
CREATE INDEX search_terms_refusals ON search_terms USING gin (terms) WHERE is_refusal;

CREATE TABLE balances (
    customer_id text   NOT NULL,
    currency    text   NOT NULL,
    balance     bigint NOT NULL,
    at          bigint NOT NULL,
    PRIMARY KEY (customer_id, currency)
);
"""

# Issues are groups of dead events; the `line` of an issue has no numbers and ids.
WORK = """
CREATE TABLE issues (
    issue_id uuid PRIMARY KEY,
    service  text NOT NULL,
    cause    text NOT NULL,
    line     text NOT NULL
);
CREATE TABLE issue_events (
    issue_id uuid    NOT NULL,
    event_id uuid    NOT NULL,
    first_died_at bigint NOT NULL,
    died_at  bigint  NOT NULL,
    is_dead  boolean NOT NULL,
    PRIMARY KEY (issue_id, event_id)
);
CREATE INDEX issue_events_event ON issue_events (event_id);
CREATE INDEX issue_events_dead ON issue_events (issue_id, died_at) WHERE is_dead;

CREATE TABLE actions (
    action_id  uuid   NOT NULL,
    result     text   NOT NULL,
    at         bigint NOT NULL,
    user_name  text   NOT NULL,
    role       text   NOT NULL,
    action     text   NOT NULL,
    target     text   NOT NULL,
    parameters json   NOT NULL,
    detail     text,
    PRIMARY KEY (action_id, result)
);
CREATE INDEX actions_at ON actions (at);
CREATE INDEX actions_target ON actions (target);

CREATE TABLE redrives (
    redrive_id uuid PRIMARY KEY,
    issue_id   uuid NOT NULL,
    service    text NOT NULL,
    event_ids  uuid[] NOT NULL,
    done       int NOT NULL DEFAULT 0,
    status     text NOT NULL DEFAULT 'running',
    started_by text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (status IN ('running', 'done', 'cancelled', 'failing', 'failed'))
);
CREATE INDEX redrives_issue ON redrives (issue_id, started_at);

CREATE TABLE alerts (
    kind      text   NOT NULL,
    subject   text   NOT NULL,
    text      text   NOT NULL,
    count     bigint NOT NULL,
    opened_at bigint NOT NULL,
    sent_at   bigint,
    ended_at  bigint,
    PRIMARY KEY (kind, subject)
);
CREATE TABLE alert_messages (
    message_id uuid PRIMARY KEY,
    kind       text   NOT NULL,
    state      text   NOT NULL,
    body       json   NOT NULL,
    made_at    bigint NOT NULL
);
CREATE INDEX alert_messages_made ON alert_messages (kind, made_at);
CREATE TABLE alert_deliveries (
    message_id      uuid   NOT NULL REFERENCES alert_messages ON DELETE CASCADE,
    channel         text   NOT NULL,
    attempts        int    NOT NULL DEFAULT 0,
    next_attempt_at bigint NOT NULL,
    delivered_at    bigint,
    given_up_at     bigint,
    error           text,
    PRIMARY KEY (message_id, channel)
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_attempt_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;

-- The sessions that have ended before their time, so that every replica refuses them. `kind` is `session` or `user`,
-- `name` the id or the user's name. `ended_at` is in seconds since 1970 UTC, as in a session's cookie: all sessions of a
-- user that were opened until then have ended.
CREATE TABLE ended_sessions (
    kind     text   NOT NULL,
    name     text   NOT NULL,
    ended_at bigint NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Failed logins of the last minutes, so that every replica counts those of all. `limit_key` is a hash of a user, an
-- address, or both, because people type passwords into the wrong field.
CREATE TABLE failed_logins (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    limit_key text        NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX failed_logins_limit ON failed_logins (limit_key, failed_at);
CREATE INDEX failed_logins_at ON failed_logins (failed_at);
"""

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


def upgrade() -> None:
    for statement in (LOG, WORK, COUNTS, CHANGES, NOTE, APPLY, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        "DROP TABLE webhooks, outcomes, domain_events, daily_amounts, ended_sessions, failed_logins, order_states, mails, refusals, refusal_counts, search_terms,"
        " balances, issues, issue_events, actions, redrives, alerts, alert_messages, alert_deliveries,"
        " webhook_count_changes, webhook_counts"
    )
    op.execute("DROP FUNCTION note_count_changes, apply_count_changes")
