"""The pages, with their templates and texts; `console/web/__init__.py` says how a page is made."""
