"""The tables of the console, as its migration makes them (tests/integration/test_tables.py)."""
