"""The contacts of orders and customers, and whether they can be mailed."""
