"""Schemes of proof that several providers share."""
