"""The route handlers of pages, actions, live parts, login, the identity provider, and static files."""
