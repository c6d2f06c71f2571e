"""`hookstream dead` and `retry`: events that failed, in every service that has them."""
