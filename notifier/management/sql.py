"""The SQL of the management endpoints."""

LIST = """
SELECT json_build_object('id', notification_id, 'status', status, 'event_type', event_type, 'audience', audience,
                         'order_id', order_id, 'customer_id', customer_id, 'attempts', attempts, 'error', error,
                         'created_at', created_at,
                         'user_id', (SELECT user_id FROM addressed
                                      WHERE addressed.notification_id = notifications.notification_id))
  FROM notifications
 WHERE status = ANY (%(statuses)b::text[]) AND (%(orders)b::text[] = '{}' OR order_id = ANY (%(orders)b::text[]))
 ORDER BY created_at DESC LIMIT %(most)s
"""
UNUSABLE = """
SELECT json_build_object('order_id', order_id, 'customer_id', customer_id, 'problem', problem)
  FROM (SELECT order_id, NULL AS customer_id, problem, stated_at
          FROM orders CROSS JOIN unnest(ARRAY[customer_email_problem, seller_email_problem]) AS problem
         WHERE (customer_email_problem IS NOT NULL OR seller_email_problem IS NOT NULL) AND problem IS NOT NULL
        UNION ALL
        SELECT NULL, customer_id, email_problem, stated_at FROM customers WHERE email_problem IS NOT NULL
       ) AS contacts
 WHERE %(orders)b::text[] = '{}' OR order_id = ANY (%(orders)b::text[])
 ORDER BY stated_at DESC LIMIT %(most)s
"""
SHOW = """
SELECT json_build_object('id', notification_id, 'status', status, 'event_type', event_type, 'event_id', event_id,
                         'audience', audience, 'order_id', order_id, 'customer_id', customer_id,
                         'attempts', attempts, 'error', error, 'received_at', received_at, 'created_at', created_at,
                         'next_attempt_at', CASE WHEN status = 'queued' THEN next_attempt_at END,
                         'sending_since', sending_since, 'sent_at', sent_at, 'resolved_at', resolved_at,
                         'again_of', again_of)
  FROM notifications WHERE notification_id = %(id)s::uuid
"""
LOCK = """
SELECT status, resolved_as, extract(epoch FROM coalesce(sending_since, now())) * 1e6 FROM notifications
 WHERE notification_id = %(id)s::uuid FOR UPDATE
"""
RESOLVE_SENT = """
UPDATE notifications SET status = 'sent', sent_at = coalesce(sending_since, now()), resolved_at = now(),
                         resolved_as = 'sent'
 WHERE notification_id = %(id)s::uuid RETURNING status
"""
SEND_AGAIN = """
UPDATE notifications
   SET status = CASE WHEN received_at < now() - %(max_age)s * interval '1 second' THEN 'stale' ELSE 'queued' END,
       next_attempt_at = now(), resolved_at = now(), resolved_as = 'send_again'
 WHERE notification_id = %(id)s::uuid RETURNING status
"""

# A mail that is sent again is a new one, with an id of its own: NotificationSent is then published for both.
INSERT_AGAIN = """
INSERT INTO notifications (notification_id, event_id, event_type, audience, channel, order_id, customer_id, contact,
                           contact_problem, event, status, again_of)
SELECT %(again)s::uuid, event_id, event_type, audience, channel, order_id, customer_id, contact, contact_problem, event,
       'queued', notification_id
  FROM notifications WHERE notification_id = %(id)s::uuid
ON CONFLICT (notification_id) DO NOTHING
"""
# A replay may have read that a mail was sent, and not its event.
HAS_EVENT = "SELECT event::text <> '{}' FROM notifications WHERE notification_id = %(id)s::uuid"
SEND_NOW = "UPDATE notifications SET next_attempt_at = now() WHERE notification_id = %(id)s::uuid AND status = 'queued'"
