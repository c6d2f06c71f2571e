"""The login to the pages: users and roles, passwords, sessions, an identity provider, limits on failed logins."""
