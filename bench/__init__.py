"""Measurements, each beside its limit in one run: CPU per unit, because seconds on a shared machine say little."""
