"""Contract E: payment gateways named by `X-PG-Provider`."""
