"""Simulated systems outside hookstream: the providers' APIs and a mail server."""
