"""The guards of the pages: users and roles, passwords, sessions, limits on attempts to log in."""
