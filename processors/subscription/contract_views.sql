-- Contract C's columns of a user.
CREATE OR REPLACE VIEW contracts.users AS
SELECT user_id AS id,
       user_id,
       plan AS subscription_plan,
       status AS subscription_status,
       started_at AS subscription_start_date,
       ends_at AS subscription_end_date,
       next_billing_at,
       created_at,
       updated_at
  FROM subscriptions;
