"""The pages of orders: state, timeline across services, events without effect, and why a field has its value."""
