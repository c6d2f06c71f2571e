"""Plays the outside world: posts webhooks as their senders would, and judges by the stores and the inbox."""
