"""What every service needs to be configured, watched and stopped; knows no service."""
