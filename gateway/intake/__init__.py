"""Handles one webhook: admit, authenticate, translate, append; or refuse it and record the refusal."""
