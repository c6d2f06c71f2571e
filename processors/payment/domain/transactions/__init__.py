"""The attempts to pay an order: their log, the amounts refunded of them, and cancels that fit none of them."""
