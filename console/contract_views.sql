-- Contract E's log of webhooks. A webhook without an id of its provider has ours.
CREATE OR REPLACE VIEW contracts.webhook_logs AS
SELECT coalesce(provider_event_id, webhook_id::text) AS webhook_id,
       type,
       upper(provider) AS provider,
       encode(payload, 'escape') AS payload,
       (SELECT min(value) FROM json_each_text(headers) WHERE position('signature' IN key) > 0) AS signature,
       status,
       retry_count,
       to_timestamp(last_retry_at / 1000000.0) AS last_retry_at,
       error,
       to_timestamp(received_at / 1000000.0) AS created_at
  FROM webhooks
 WHERE kind IS NOT NULL;
