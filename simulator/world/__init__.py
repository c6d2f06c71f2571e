"""What stands outside: the providers' APIs and a mail server, simulated."""
