"""Send queued mails by SMTP and record the results."""
