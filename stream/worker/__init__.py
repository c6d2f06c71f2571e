"""Applies each event exactly once in effect: one loop, one transaction a batch, published after the commit."""
