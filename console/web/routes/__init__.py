"""The handlers of the pages: pages and actions, live parts, login, the identity provider."""
