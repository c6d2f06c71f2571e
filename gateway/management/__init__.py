"""The gateway's management API: its routes and the parameters they take."""
