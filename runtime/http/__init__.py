"""What the HTTP listeners of several services share."""
