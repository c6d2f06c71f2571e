-- Contract A's refunds.
CREATE OR REPLACE VIEW contracts.refunds AS
SELECT order_id, refund_id, amount, reason, status, processed_at, created_at, currency, updated_at FROM refunds;
