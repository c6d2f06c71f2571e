-- The names of contracts B (payment_status, payment_metadata) and C (payment_key, payment_data) for payments.
CREATE OR REPLACE VIEW contracts.payments AS
SELECT order_id AS id,
       order_id,
       status AS payment_status,
       metadata AS payment_metadata,
       transaction_id AS payment_key,
       user_id,
       amount,
       currency,
       status,
       (metadata -> 'webhook')::jsonb AS payment_data,
       failure_reason,
       refunded_amount,
       paid_at,
       created_at,
       updated_at
  FROM payments;
