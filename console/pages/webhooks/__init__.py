"""The pages of webhooks: the log, and one webhook with its verification, outcomes, domain events, mails and payload."""
