"""Makes the messages that follow from events, and publishes them once their batch is committed."""
