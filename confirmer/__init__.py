"""The confirmer: verifies unsigned webhooks by the providers' APIs, and publishes what the APIs confirm."""
