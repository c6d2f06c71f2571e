"""The providers that send webhooks: one pure package each, listed in `catalogue`, and what they share."""
