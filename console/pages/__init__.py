"""The pages themselves, with their templates and texts; `console/web/__init__.py` says how one is made."""
