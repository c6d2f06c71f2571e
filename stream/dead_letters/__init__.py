"""Failed events: how operators select, show, retry, redrive, give up and dismiss them."""
