"""Events that failed: how people select, show, redrive and dismiss them."""
