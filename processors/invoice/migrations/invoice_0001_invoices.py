"""Create the tables of invoices, transfers, applied webhooks, and the customers' ledger of credits."""

from alembic import op

revision = "invoice_0001"
down_revision = None
branch_labels = ("invoice",)

UP = """
CREATE TABLE invoices (
    invoice_id      text PRIMARY KEY,
    customer_id     text,
    customer_name   text,
    state           text,
    title           text,
    cash_amount     bigint,
    cash_currency   text,
    crypto_amount   text,
    crypto_asset    text,
    received_amount text,
    expected_amount text,
    reason          text,
    transaction_id  text,
    completed_at    timestamptz,
    expired_at      timestamptz,
    metadata        json,
    version         int  NOT NULL DEFAULT 0,
    registers       json NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE transfers (
    transaction_id text PRIMARY KEY,
    invoice_id     text,
    customer_id    text,
    state          text,
    amount         text,
    asset          text,
    hash           text,
    from_address   text,
    to_address     text,
    block_number   bigint,
    reason         text,
    changed_at     timestamptz,
    version        int  NOT NULL DEFAULT 0,
    registers      json NOT NULL DEFAULT '{}',
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE invoice_history (
    event_id       uuid PRIMARY KEY,
    kind           text NOT NULL,
    invoice_id     text,
    transaction_id text,
    state          text NOT NULL,
    previous_state text,
    outcome        text NOT NULL,
    occurred_at    timestamptz,
    received_at    timestamptz NOT NULL,
    payload        bytea NOT NULL
);
CREATE INDEX invoice_history_invoice ON invoice_history (invoice_id);
CREATE INDEX invoice_history_transaction ON invoice_history (transaction_id);

CREATE TABLE customers (
    customer_id text PRIMARY KEY
);

CREATE TABLE credits (
    entry_id    uuid PRIMARY KEY,
    customer_id text   NOT NULL,
    invoice_id  text   NOT NULL UNIQUE,
    amount      bigint NOT NULL CHECK (amount > 0),
    currency    text   NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX credits_customer ON credits (customer_id);

COMMENT ON TABLE customers IS 'one row to lock for each customer with credits, so that balances are published in order';
COMMENT ON COLUMN invoices.state IS 'null while only a transfer of the invoice is known';
COMMENT ON COLUMN invoices.registers IS 'each column''s value with the stamp it was set with; the merge of these is the same in any order of events';
COMMENT ON COLUMN invoices.crypto_amount IS 'a decimal text, as the provider writes it';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE credits, customers, invoice_history, transfers, invoices")
