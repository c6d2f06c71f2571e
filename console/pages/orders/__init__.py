"""The page of an order: its state, its time line across services, what it waits for, and what can be done."""
