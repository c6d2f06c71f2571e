-- Contract A's columns of an order.
CREATE OR REPLACE VIEW contracts.orders AS
SELECT order_id AS id,
       order_id,
       payment_status,
       payment_method,
       transaction_id,
       paid_amount,
       paid_at,
       shipping_status,
       tracking_number,
       carrier,
       last_location,
       shipping_updated_at,
       refund_status,
       refunded_amount,
       currency,
       created_at,
       updated_at
  FROM orders;
