"""A zip for a third party, such as a bank, with what is known about one order, or about all orders of a customer."""
