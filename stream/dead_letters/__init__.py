"""Failed events: how operators select, show, retry, redrive, retry for the last time and dismiss them."""
