"""The shop itself: its orders and its people."""
