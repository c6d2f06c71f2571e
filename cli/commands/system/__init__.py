"""Commands for the whole system: run, migrate, simulate, status, verify."""
