"""`hookstream evidence`: a zip for a third party, such as a bank, with what is known about an order or a customer."""
