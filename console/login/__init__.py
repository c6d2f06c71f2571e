"""Who may use the pages: users and roles, passwords, sessions, limits on attempts to log in."""
