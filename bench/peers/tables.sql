CREATE TABLE peer_orders (
    order_id text PRIMARY KEY, email text NOT NULL, name text NOT NULL, locale text NOT NULL, amount bigint NOT NULL,
    link text NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE peer_payments (
    order_id text PRIMARY KEY, status text NOT NULL, method text NOT NULL, transaction_id text NOT NULL,
    amount bigint NOT NULL, paid_at timestamptz NOT NULL);
CREATE TABLE peer_shipments (
    order_id text PRIMARY KEY, tracking_number text NOT NULL, carrier text NOT NULL, status text NOT NULL,
    location text NOT NULL, changed_at timestamptz NOT NULL);
CREATE TABLE peer_refunds (
    order_id text PRIMARY KEY, refund_id text NOT NULL, amount bigint NOT NULL, reason text NOT NULL,
    status text NOT NULL, processed_at timestamptz NOT NULL);
