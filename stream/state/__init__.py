"""State that does not depend on the order in which events arrive. Pure."""
