"""Specifications, by what they need: unit (nothing), integration and e2e (the real system)."""
