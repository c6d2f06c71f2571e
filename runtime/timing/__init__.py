"""How long to wait: back-off between attempts, and even spacing of requests. Pure."""
