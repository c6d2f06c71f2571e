"""Maps records to rows of the log, by the names of the columns. Pure.

A list of texts is one text, with its elements separated by newlines (`stream.store.statements`).
"""
