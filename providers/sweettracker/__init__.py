"""SweetTracker (스마트택배)."""
