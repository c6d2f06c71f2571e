"""HTTP without webhooks: framing, the size and time of a body, refusals and their statuses, token buckets, OpenAPI.

Who may post, from where and how much, is decided in `gateway.intake.admission`.
"""
