-- Contract B's notifications.
CREATE OR REPLACE VIEW contracts.notifications AS
SELECT id, user_id, title, message, type, link, created_at FROM in_app;
