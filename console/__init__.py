"""The webhook log: each webhook with its outcomes, domain events and mails; statistics and live balances."""
