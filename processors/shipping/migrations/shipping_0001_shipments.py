"""Create the tables of parcels and applied scans."""

from alembic import op

revision = "shipping_0001"
down_revision = None
branch_labels = ("shipping",)

UP = """
CREATE TABLE shipments (
    shipment_id         text PRIMARY KEY,
    carrier             text,
    tracking_number     text,
    order_id            text,
    status              text,
    last_location       text,
    shipping_updated_at timestamptz,
    metadata            json,
    version             int  NOT NULL DEFAULT 0,
    registers           json NOT NULL DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX shipments_order ON shipments (order_id);

CREATE TABLE shipment_history (
    event_id    uuid PRIMARY KEY,
    shipment_id text NOT NULL,
    order_id    text,
    status      text NOT NULL,
    outcome     text NOT NULL,
    location    text,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL,
    payload     bytea NOT NULL
);
CREATE INDEX shipment_history_shipment ON shipment_history (shipment_id);

COMMENT ON COLUMN shipments.registers IS 'each column''s value with the stamp it was set with; the merge of these is the same in any order of events';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE shipment_history, shipments")
