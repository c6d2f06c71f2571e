"""Replay: a store rebuilt from the topics in a schema beside the live one, compared with it, and swapped in.

The service's own handler does the work, on a connection that finds the new schema's tables. What it would announce is
held against what stands on its topics already; nothing is published and nobody is mailed.
"""
