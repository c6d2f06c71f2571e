"""The tables that every service's store has, and their SQL: inbox, outbox, ownership, aliases, retrying events."""
