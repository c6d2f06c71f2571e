-- Contract D's invoices by the names of its body, in snake case, and the customers' balances.
CREATE OR REPLACE VIEW contracts.invoices AS
SELECT invoice_id, customer_id, customer_name, state, title, cash_amount, cash_currency AS cash_asset_id, crypto_amount,
       crypto_asset AS crypto_asset_id, received_amount, expected_amount, reason, transaction_id, completed_at,
       expired_at, created_at, updated_at
  FROM invoices;
CREATE OR REPLACE VIEW contracts.balances AS
SELECT customer_id, currency, sum(amount)::bigint AS balance FROM credits GROUP BY customer_id, currency;
