"""The tables in every service's store and their SQL: inbox, outbox, ownership, aliases, retrying events."""
