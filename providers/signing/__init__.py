"""Authentication schemes that several providers share."""
