"""The management endpoints for mails and alerts."""
