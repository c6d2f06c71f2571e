"""HTTP without webhooks: framing, the size and time of a body, refusals and their statuses, token buckets, OpenAPI."""
