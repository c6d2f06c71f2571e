"""The log of webhooks, and the page of one: how it was verified, handled, published and mailed, and its payload."""
