"""State that ends the same in whatever order its events arrive. Pure."""
