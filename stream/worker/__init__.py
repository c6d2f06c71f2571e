"""Applies each event exactly once in effect: one loop, one transaction per batch, published after the commit."""
