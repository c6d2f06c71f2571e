"""The management API by which operators list, show, retry, redrive and dismiss failed events."""
