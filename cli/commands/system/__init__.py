"""The whole system: run, migrate, simulate, status, verify."""
